/** A tokenizer as converted from SentencePiece: no pre-tokenizer, ▁ for spaces, bytes for what is not in the vocabulary. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/temporary';

const MERGES = [
  '▁ t',
  'h e',
  '▁t he',
  '▁ a',
  'n d',
  '▁a nd',
  '▁ ▁',
  '▁▁ ▁▁',
  'e r',
  'i n',
  'in g',
  '▁the re',
  'r e',
  'a n',
];

/** A tokenizer.json as far as the tests look into it. */
export type SentencePieceToy = Record<string, unknown> & {
  model: Record<string, unknown>;
  pre_tokenizer: unknown;
};

/** Content of the toy's tokenizer.json. Ids: 3 specials, 256 bytes, then characters and merges. */
export function sentencePieceToy(): SentencePieceToy {
  const specials = ['<unk>', '<s>', '</s>'];
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  const words = [
    ...specials,
    ...bytes,
    ...Array.from('▁abcdefghinorst.,!'),
    ...MERGES.map((merge) => merge.replace(' ', '')),
  ];
  return {
    added_tokens: specials.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      merges: MERGES,
    },
  };
}

/** A fresh folder with the given files; objects are written as JSON. */
export function folderWith(files: Record<string, unknown>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}
