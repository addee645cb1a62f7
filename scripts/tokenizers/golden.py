"""Writes test/golden/tokenizers: a toy tokenizer.json for each family, with that family's stages and the flags of its
added tokens, and ids and texts of the original tokenizers library for them. Vocabularies are trained on a few lines.

    pip install tokenizers && python scripts/tokenizers/golden.py

With a folder of folders with a tokenizer.json each, it writes golden.json beside each instead, for a test run with
COPPICE_TOKENIZERS=FOLDER.
"""
import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

OUT = Path(__file__).parents[2] / 'test/golden/tokenizers'
LINES = [
    "The quick brown fox doesn't jump over the lazy dog; it's 1234 days old, they'll say.",
    'def add(a, b):\n    return a + b  # sums\n\n\nclass Thing:\n\tpass\n',
    'Whether in the morning or in the evening, THE HTTPServer and the camelCase words are there.',
    'größer naïve 日本語のテキスト и ещё 12 345 слов; x = y / 2 // z\r\n',
    'and the other thing, and another; the end of the thing and the beginning of the others.',
] * 3

CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r'|\s+(?!\S)|\s+'
)
UPPER, LOWER = r'[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]', r'[\p{Ll}\p{Lm}\p{Lo}\p{M}]'
SHORT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = (
    rf'[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{SHORT}|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{SHORT}|\p{{N}}{{1,3}}'
    r'| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+'
)

BLANK = {'String': ' '}
MARK = {'type': 'Replace', 'pattern': BLANK, 'content': '▁'}
UNMARK = [{'type': 'Replace', 'pattern': {'String': '▁'}, 'content': ' '}, {'type': 'ByteFallback'}, {'type': 'Fuse'}]


def byte_level(use_regex):
    return {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': use_regex}


def sequence(name, *stages):
    return {'type': 'Sequence', name: list(stages)}


def split(pattern, behavior='Isolated', invert=False):
    return {'type': 'Split', 'pattern': pattern, 'behavior': behavior, 'invert': invert}


def begin(token, number):
    special, text = {'SpecialToken': {'id': token, 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}
    names = {token: {'id': token, 'ids': [number], 'tokens': [token]}}
    return {
        'type': 'TemplateProcessing',
        'single': [special, text],
        'pair': [special, text, {'Sequence': {'id': 'B', 'type_id': 1}}],
        'special_tokens': names,
    }


def pieces(specials, runs=()):
    """A vocabulary as converted from SentencePiece: specials, bytes, then characters and merges."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.Replace(' ', '▁')
    made.pre_tokenizer = pre_tokenizers.Split('▁', 'merged_with_next')
    made.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=210, show_progress=False))
    model = json.loads(made.to_str())['model']
    merges = [list(merge) for merge in model['merges']]
    for run in runs:  # of blanks and new lines
        merges += [[run * n, run * n] for n in (1, 2)]
    words = dict.fromkeys(specials)
    words.update(dict.fromkeys(f'<0x{byte:02X}>' for byte in range(256)))
    words.update(dict.fromkeys(sorted(model['vocab'], key=model['vocab'].get)))
    words.update(dict.fromkeys(run for run in runs))
    words.update(dict.fromkeys(''.join(merge) for merge in merges))
    vocab = {word: number for number, word in enumerate(words)}
    flags = {'unk_token': '<unk>', 'fuse_unk': True, 'byte_fallback': True, 'ignore_merges': False}
    return {'type': 'BPE', 'dropout': None, **flags, 'vocab': vocab, 'merges': merges}


def symbols(pre_tokenizer, ignore_merges=False):
    """A byte-level vocabulary, trained with the family's own words."""
    made = Tokenizer.from_str(json.dumps(whole({'type': 'BPE', 'vocab': {}, 'merges': []}, pre_tokenizer)))
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=370, initial_alphabet=alphabet, show_progress=False))
    model = json.loads(made.to_str())['model']
    return {**model, 'ignore_merges': ignore_merges}


def whole(model, pre_tokenizer=None, normalizer=None, post_processor=None, decoder=None, added=()):
    number = len(model['vocab'])
    tokens = []
    for content, flags in added:
        at = model['vocab'].get(content)
        if at is None:
            at, number = number, number + 1
        token = {'id': at, 'content': content, 'single_word': False, 'lstrip': False, 'rstrip': False}
        tokens.append({**token, 'normalized': False, 'special': True, **flags})
    return {
        'version': '1.0',
        'truncation': None,
        'padding': None,
        'added_tokens': sorted(tokens, key=lambda token: token['id']),
        'normalizer': normalizer,
        'pre_tokenizer': pre_tokenizer,
        'post_processor': post_processor,
        'decoder': decoder,
        'model': model,
    }


def gemma(pre_tokenizer, more):
    specials = ['<pad>', '<eos>', '<bos>', '<unk>']
    chat = [('<start_of_turn>', {}), ('<end_of_turn>', {})]
    added = [(token, {}) for token in specials] + chat + [(token, {'special': False}) for token in more]
    model = pieces(specials, ['▁', '\n'])
    return whole(model, pre_tokenizer, MARK, begin('<bos>', 2), sequence('decoders', *UNMARK), added)


def phi3():
    specials = ['<unk>', '<s>', '</s>']
    strips = {'rstrip': True}
    added = [('<unk>', {}), ('<s>', {}), ('</s>', {**strips, 'special': False}), ('<|endoftext|>', {})]
    added += [(token, strips) for token in ('<|assistant|>', '<|placeholder1|>', '<|system|>', '<|end|>', '<|user|>')]
    normalizer = sequence('normalizers', {'type': 'Prepend', 'prepend': '▁'}, MARK)
    strip = {'type': 'Strip', 'content': ' ', 'start': 1, 'stop': 0}
    decoder = sequence('decoders', *UNMARK, strip)
    return whole(pieces(specials), None, normalizer, begin('<s>', 1), decoder, added)


def bytes_of(*stages, added=(), post_processor=None):
    words = sequence('pretokenizers', *stages)
    return whole(symbols(words), words, None, post_processor, byte_level(True), added)


def phi4(pattern, flags):
    added = [(token, flags) for token in ('<|endoftext|>', '<|im_start|>', '<|im_sep|>', '<|im_end|>', '<|end|>')]
    return bytes_of(split({'Regex': pattern}, 'Removed', True), byte_level(False), added=added)


def smollm3():
    added = [('<|begin_of_text|>', {}), ('<|im_start|>', {}), ('<|im_end|>', {}), ('<think>', {'special': False})]
    words = sequence('pretokenizers', split({'Regex': CL100K}), byte_level(False))
    model = symbols(words, ignore_merges=True)
    # A word that no merge makes: ignore_merges finds it all the same.
    model['vocab']['Ġunmerged'] = len(model['vocab'])
    around = sequence('processors', byte_level(True), begin('<|begin_of_text|>', len(model['vocab'])))
    return whole(model, words, None, around, byte_level(True), added)


FAMILIES = {
    'gemma': gemma(None, []),
    'gemma3': gemma(split(BLANK, 'MergedWithPrevious'), ['<unused0>', '\n\n', '\n\n\n', '▁▁', '▁▁▁▁', '<table>']),
    'phi3': phi3(),
    'phi4': phi4(CL100K, {'lstrip': True, 'rstrip': True}),
    'phi4-mini': phi4(O200K, {'rstrip': True}),
    'granite': bytes_of(
        {'type': 'Digits', 'individual_digits': True},
        byte_level(True),
        added=[('<|end_of_text|>', {}), ('<|start_of_role|>', {}), ('<|end_of_role|>', {})],
    ),
    'olmo2': bytes_of(
        split({'Regex': CL100K}),
        byte_level(False),
        added=[
            ('<|endoftext|>', {}),
            ('|||EMAIL_ADDRESS|||', {'special': False, 'normalized': True}),
            ('    ', {'special': False, 'normalized': True}),
        ],
        post_processor=byte_level(True),
    ),
    'smollm3': smollm3(),
}

TEXTS = [
    '',
    ' ',
    'The quick brown fox',
    '  two   blanks    in\ta row ',
    '\n\n\nclass Thing:\n\n    def add(a, b):\n\t\treturn a + b  # sums\r\n\r\n',
    "I'm sure they'LL say it's 'S or DON'T, 'ſ too",
    'HTTPServer camelCase XMLhttp ÀÉ ǅ',
    '1234567 3.14 x1y22 ½²Ⅷ٣ 0x1F',
    '日本語 中文 한국어 ไทย हिन्दी العربية',
    'e\u0301 a\u0300\u0302 \u0301x',
    '🙂 👩‍👩‍👧 🇩🇪 𝒳',
    '\ufeffa \u0085b\u00a0c\u3000d \u2028 \x00 \x1c\u200b',
    '▁ ▁▁ <0x41> Ġ Ċ',
    '==== //// !!! ... /\n/ --\n',
    ' unmerged unmerged',
    'and the ' * 40,
    'ab' * 200,
    ' ' * 40,
    '\n' * 9,
]


def texts_of(tokenizer):
    tokens = [token['content'] for token in tokenizer['added_tokens']]
    for token in tokens[:8] + tokens[-8:]:
        yield f'x {token} \n y{token}{token} '
    yield f'{tokens[0]}the thing{tokens[-1]}\u0085\ufeff and'


def cases(tokenizer):
    made = Tokenizer.from_str(json.dumps(tokenizer))
    for text in TEXTS + list(texts_of(tokenizer)):
        bare, whole_ids = made.encode(text, add_special_tokens=False).ids, made.encode(text).ids
        yield {
            'text': text,
            'idsWithoutSpecials': bare,
            'idsWithSpecials': whole_ids,
            'decoded': made.decode(bare, skip_special_tokens=False),
            'decodedSkippingSpecials': made.decode(whole_ids),
        }
    # Bytes that are no text, specials between them, and a start in the middle of a word.
    size = made.get_vocab_size()
    for start in range(0, 240, 24):
        ids = [(start * 7 + i * i * 31 + (i % 3) * 5) % size for i in range(14)]
        yield {
            'text': None,
            'idsWithoutSpecials': ids,
            'idsWithSpecials': ids,
            'decoded': made.decode(ids, skip_special_tokens=False),
            'decodedSkippingSpecials': made.decode(ids),
        }


def write(path, described, **more):
    rows = ',\n'.join(json.dumps(case, separators=(',', ':')) for case in cases(described))
    heads = ''.join(f'{json.dumps(key)}:{json.dumps(value, separators=(",", ":"))},\n' for key, value in more.items())
    path.write_text(f'{{{heads}"cases":[\n{rows}\n]}}\n')


if len(sys.argv) > 1:
    for path in Path(sys.argv[1]).glob('*/tokenizer.json'):
        write(path.parent / 'golden.json', json.loads(path.read_text()))
else:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, toy in FAMILIES.items():
        write(OUT / f'{name}.json', toy, tokenizer=toy)
