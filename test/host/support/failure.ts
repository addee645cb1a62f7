/** What a failed host test leaves for whoever reads the log of a machine that is gone: a picture, the window's words, the log. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { coppice } from './coppice';
import { Window } from './window';

const LINES = 30;

export async function tellFailure(title: string): Promise<void> {
  try {
    const window = await Window.connect();
    const picture = await window.screenshot(`failed ${title}`.replace(/\W+/g, '-'));
    for (const line of [`picture: ${picture}`, ...(await window.visibleText())]) console.log(`      ${line}`);
    await window.disconnect();
    const { logUri } = (await coppice()).context;
    const files = existsSync(logUri.fsPath) ? readdirSync(logUri.fsPath) : [];
    for (const name of files.filter((file) => file.endsWith('.log'))) {
      const lines = readFileSync(join(logUri.fsPath, name), 'utf8').trimEnd().split('\n').slice(-LINES);
      for (const line of lines) console.log(`      ${name}: ${line}`);
    }
  } catch (error) {
    console.log(`      nothing to be seen of it: ${String(error)}`);
  }
}
