/** Takes the bundled program for tokenizers' processes: hundreds of tests start one, and from source each start takes half a second. */
import { join } from 'node:path';
import { setTokenizerProgram } from '../../src/engine/tokenizer/running';
import { built } from './built';

setTokenizerProgram(join(built('tokenizer'), 'tokenizer.cjs'));
