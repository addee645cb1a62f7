/** The tensor table's order and filter, and the strip: what the editor's page asks its host for. */
import assert from 'node:assert/strict';
import { sizeStripOf } from '../../../src/editors/size-strip';
import { TensorTable } from '../../../src/editors/table';
import type { TableQuery, TensorRow } from '../../../src/protocol/editor';

const row = (
  name: string,
  dtype: string,
  shape: readonly number[],
  bytes: number,
  offset: number | null = 0,
): TensorRow => ({
  name,
  dtype,
  shape,
  elements: shape.reduce((product, d) => product * d, 1),
  bytes,
  offset,
  file: 'model.safetensors',
});

const ROWS = [
  row('model.embed_tokens.weight', 'BF16', [8, 4], 64),
  row('model.layers.10.mlp.up_proj.weight', 'BF16', [16, 4], 128),
  row('model.layers.2.self_attn.q_proj.weight', 'F16', [4, 4], 32),
  row('model.layers.2.input_layernorm.weight', 'F32', [4], 16, null),
  row('model.norm.weight', 'F32', [4], 16),
];
const table = new TensorTable(ROWS);
const names = (query: TableQuery): string[] => table.page(query, 0, 100).rows.map(({ name }) => name);

describe('tensor table', () => {
  it('keeps the order of the file, or sorts by numbers inside names, sizes, shapes', () => {
    assert.deepEqual(
      names({ filter: '' }),
      ROWS.map(({ name }) => name),
    );
    assert.deepEqual(names({ filter: 'layers', sort: { column: 'name', descending: false } }), [
      ROWS[3].name,
      ROWS[2].name,
      ROWS[1].name,
    ]);
    assert.equal(names({ filter: '', sort: { column: 'bytes', descending: true } })[0], ROWS[1].name);
    assert.equal(names({ filter: '', sort: { column: 'shape', descending: true } })[0], ROWS[1].name);
    assert.equal(names({ filter: '', sort: { column: 'offset', descending: false } })[0], ROWS[3].name);
  });

  it('filters by words, types, blocks and parts, all of which have to fit', () => {
    assert.deepEqual(names({ filter: 'Q_PROJ' }), [ROWS[2].name]);
    assert.deepEqual(names({ filter: 'block:2' }), [ROWS[2].name, ROWS[3].name]);
    assert.deepEqual(names({ filter: 'block:2 dtype:f16' }), [ROWS[2].name]);
    assert.deepEqual(names({ filter: 'part:norm' }), [ROWS[4].name]);
    assert.deepEqual(names({ filter: 'part:attention' }), [ROWS[2].name, ROWS[3].name]);
    assert.deepEqual(names({ filter: 'block:1' }), []);
  });

  it('gives pages inside its bounds, whatever is asked', () => {
    const many = new TensorTable(Array.from({ length: 1000 }, (_, i) => row(`t${i}`, 'F32', [1], 4)));
    assert.equal(many.page({ filter: '' }, 0, 1e9).rows.length, 200);
    assert.deepEqual(
      many.page({ filter: '' }, 998, 1100).rows.map(({ name }) => name),
      ['t998', 't999'],
    );
    assert.deepEqual(
      many.page({ filter: '' }, -5, 2).rows.map(({ name }) => name),
      ['t0', 't1'],
    );
    assert.deepEqual(many.page({ filter: '' }, 5000, 6000), { start: 1000, rows: [], total: 1000 });
  });

  it('copies what the query selects as a table', () => {
    assert.deepEqual(table.copy({ filter: 'q_proj' }).split('\n'), [
      'name\tdtype\tshape\telements\tbytes\toffset\tfile',
      'model.layers.2.self_attn.q_proj.weight\tF16\t[4, 4]\t16\t32\t0\tmodel.safetensors',
    ]);
  });
});

describe('strip', () => {
  it('has the pieces in the order of the model, with the bytes of their parts', () => {
    assert.deepEqual(sizeStripOf(ROWS), [
      { bytes: 64, parts: [{ kind: 'embedding', bytes: 64 }] },
      { block: 2, bytes: 48, parts: [{ kind: 'attention', bytes: 48 }] },
      { block: 10, bytes: 128, parts: [{ kind: 'ffn', bytes: 128 }] },
      { bytes: 16, parts: [{ kind: 'norm', bytes: 16 }] },
    ]);
  });

  it('knows the names in GGUF files', () => {
    const gguf = [
      'token_embd.weight',
      'blk.0.attn_q.weight',
      'blk.0.ffn_up.weight',
      'output_norm.weight',
      'output.weight',
    ];
    assert.deepEqual(
      sizeStripOf(gguf.map((name) => row(name, 'Q4_K', [1], 1))).map(({ parts }) => parts.map(({ kind }) => kind)),
      [['embedding'], ['attention', 'ffn'], ['norm'], ['head']],
    );
  });
});
