// Without fonts of its own: the site asks nobody for anything, and text looks as in other programs.
import DefaultTheme from 'vitepress/theme-without-fonts';
import './site.css';

export default DefaultTheme;
