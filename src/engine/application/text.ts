/** A split of an application's text as documents: what its models read, for calibration and for judging. */
import { UserError } from '../errors';
import type { JobOptions } from '../progress';
import type { TextSplit } from '../../format/text-share';
import { counted } from '../../format/words';
import type { Encoder } from '../tokenizer/bos';
import type { Awaitable, ChatMessage, DecodeOptions } from '../tokenizer/tokenizer';
import { promptedText } from './prompted';
import { type Application, readApplication, recordsIn } from './read';
import type { ApplicationRecord } from './record';

/** What of a tokenizer writes conversations. */
export interface ChatWriter extends Encoder {
  readonly hasChatTemplate?: boolean;
  chat?(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): Awaitable<string>;
  decode?(ids: readonly number[], options: DecodeOptions): Awaitable<string>;
}

export interface SplitText {
  readonly documents: readonly string[];
  /** What they are from. */
  readonly application: Application;
  /** What the user must know of the conversations. */
  readonly warnings: readonly string[];
}

/** @throws UserError where it cannot be read or the split has nothing; CancelledError */
export async function splitText(
  path: string,
  split: TextSplit,
  writer: ChatWriter | undefined,
  job: JobOptions = {},
): Promise<SplitText> {
  const application = await readApplication(path, job);
  return { application, ...(await documentsIn(application, split, writer)) };
}

/** The documents of a split. @throws UserError where it has nothing */
export async function documentsIn(
  application: Application,
  split: TextSplit,
  writer: ChatWriter | undefined,
): Promise<Pick<SplitText, 'documents' | 'warnings'>> {
  const { records, warnings } = await usable(application, split, writer);
  const begins = await beginText(writer);
  const documents: string[] = [];
  for (const record of records) documents.push(await documentOf(record, writer, begins));
  return { documents, warnings };
}

/** A template that refuses so many is not for these conversations; each refusal may take seconds. */
const MOST_REFUSED = 50;

/** Conversations that a chat template writes, or the same as plain texts; the others as they are. */
export type WrittenRecord = Exclude<ApplicationRecord, { readonly kind: 'answer' }>;

/**
 * The records of a split as this model can have them: without a chat template conversations are plain text, and with one those that it
 * refuses are left out.
 * @throws UserError where nothing is left
 */
export async function usable(
  application: Application,
  split: TextSplit,
  writer: ChatWriter | undefined,
): Promise<{ readonly records: readonly WrittenRecord[]; readonly warnings: readonly string[] }> {
  const records: WrittenRecord[] = [];
  const refused: string[] = [];
  let plain = 0;
  for (const { record, place } of recordsIn(application, split)) {
    const messages = messagesIn(record);
    if (messages === undefined) {
      records.push(record as WrittenRecord);
    } else if (!writer?.hasChatTemplate || writer.chat === undefined) {
      plain++;
      records.push({ kind: 'document', text: messages.map(({ content }) => content.trim()).join('\n\n') });
    } else {
      try {
        await writer.chat(messages, { addGenerationPrompt: false });
        records.push({ kind: 'chat', messages });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused.push(`${place}: ${error.why}`);
        if (refused.length === MOST_REFUSED) break;
      }
    }
  }
  if (records.length === 0 || refused.length === MOST_REFUSED) {
    throw new UserError(
      `The application’s text ${application.name} cannot be used for ${split}`,
      `the chat template refuses ${records.length === 0 ? 'all' : 'many of'} its conversations (${refused[0]})`,
      'Change the conversations to what the template accepts: often user and assistant in turn.',
    );
  }
  const without = `of the application’s text for ${split}`;
  return {
    records,
    warnings: [
      ...(plain > 0
        ? [`${counted(plain, 'conversation')} ${without} are read as plain text: the tokenizer has no chat template`]
        : []),
      ...(refused.length > 0
        ? [
            `${counted(refused.length, 'conversation')} ${without} are left out: the chat template refuses them (${refused[0]})`,
          ]
        : []),
    ],
  };
}

/** The turns of a conversation; undefined for what is none. */
function messagesIn(record: ApplicationRecord) {
  switch (record.kind) {
    case 'chat':
      return record.messages;
    case 'answer':
      return [
        { role: 'user', content: record.prompt },
        { role: 'assistant', content: record.response },
      ];
    default:
      return undefined;
  }
}

/** What the tokenizer puts before a text, in words: a template writes it too, and rows begin with it anyway. */
async function beginText(writer: ChatWriter | undefined): Promise<string> {
  if (writer?.beginsWith === undefined || writer.decode === undefined) return '';
  return writer.decode([writer.beginsWith], { skipSpecialTokens: false });
}

async function documentOf(record: WrittenRecord, writer: ChatWriter | undefined, begins: string): Promise<string> {
  switch (record.kind) {
    case 'document':
      return record.text;
    case 'instruction': {
      const { prompt, response } = promptedText(record.instruction, 'alpaca');
      return prompt + response;
    }
    case 'chat': {
      const text = await writer!.chat!(record.messages, { addGenerationPrompt: false });
      return begins !== '' && text.startsWith(begins) ? text.slice(begins.length) : text;
    }
  }
}
