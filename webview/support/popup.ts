/** A box below a button: Escape, a click elsewhere and the button itself close it; the button gets the focus back. */
export interface Popup {
  readonly toggle: () => void;
  readonly open: () => void;
  /** @param focus whether the button gets the focus; it does when undefined */
  readonly close: (focus?: boolean) => void;
}

/**
 * @param place contains both; a click outside of it closes the box
 * @param first gets the focus when the box opens
 */
export function popup(
  opener: HTMLElement,
  box: HTMLElement,
  place: HTMLElement,
  first: () => HTMLElement | null | undefined,
): Popup {
  opener.setAttribute('aria-haspopup', box.getAttribute('role') ?? 'true');
  opener.setAttribute('aria-expanded', 'false');

  function open(): void {
    box.hidden = false;
    opener.setAttribute('aria-expanded', 'true');
    first()?.focus();
    document.addEventListener('pointerdown', closeOutside, true);
  }

  function close(focus = true): void {
    if (box.hidden) return;
    box.hidden = true;
    opener.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', closeOutside, true);
    if (focus) opener.focus();
  }

  const closeOutside = (event: Event): void => {
    if (!event.composedPath().includes(place)) close(false);
  };
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  return { toggle: () => (box.hidden ? open() : close()), open, close };
}
