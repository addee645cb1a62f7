/** The graph builder: what it serialises, read back with the ONNX schema. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataLocation, TensorProto_DataType, type GraphProto } from 'onnx-buf';
import { Graph, type Value } from '../../../src/engine/onnx/graph';

const parse = (g: Graph) => fromBinary(ModelProtoSchema, g.serialize().bytes);

/** Extents of a declared input or output; names for those known at run time only. */
function dims({ input, output }: GraphProto, name: string): (number | string)[] {
  const type = [...input, ...output].find((v) => v.name === name)?.type?.value;
  assert.equal(type?.case, 'tensorType');
  return (type.value.shape?.dim ?? []).map(({ value }) => {
    return value.case === 'dimValue' ? Number(value.value) : String(value.value);
  });
}

describe('onnx/graph', () => {
  it('says what it is: opsets of ONNX and of onnxruntime, inputs and outputs with their shapes', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', 4]);
    g.output('y', g.op('Neg', [x], x));
    const model = parse(g);
    assert.deepEqual(
      model.opsetImport.map(({ domain, version }) => [domain, Number(version)]),
      [
        ['', 21],
        ['com.microsoft', 1],
      ],
    );
    const graph = model.graph!;
    assert.deepEqual(
      [dims(graph, 'x'), dims(graph, 'y')],
      [
        ['tokens', 4],
        ['tokens', 4],
      ],
    );
    assert.deepEqual(
      graph.node.map((n) => [n.opType, n.input, n.output]),
      [['Neg', ['x'], ['y']]],
    );
  });

  it('computes later constants when it is completed, in order, and passes on what fails', async () => {
    const g = new Graph();
    const asked: string[] = [];
    const later = (name: string, byte: number): Value =>
      g.later('int8', [1, 2], async (into) => {
        asked.push(name);
        into.fill(byte);
        await Promise.resolve();
      });
    g.output('y', g.op('Add', [later('first', 3), later('second', 4)], { type: 'int8', shape: [1, 2] }));
    const file = g.serialize();
    assert.equal(file.bytes.length, 0);
    assert.deepEqual(asked, []);
    const { initializer } = fromBinary(ModelProtoSchema, await file.complete!()).graph!;
    assert.deepEqual(
      initializer.map(({ rawData, dims: extents }) => [[...rawData], extents.map(Number)]),
      [
        [
          [3, 3],
          [1, 2],
        ],
        [
          [4, 4],
          [1, 2],
        ],
      ],
    );
    assert.deepEqual(asked, ['first', 'second']);
    const failing = new Graph();
    const value = failing.later('int8', [1], () => Promise.reject(new Error('unreadable')));
    failing.output('y', failing.op('Neg', [value], value));
    await assert.rejects(failing.serialize().complete!(), /unreadable/);
  });

  it('writes every kind of attribute, and a missing input as an empty name', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    const attributes = { whole: 3, list: [1, 0], text: 'é', real: { float: 0.5 } };
    const y = g.contribOp('Op', [x, undefined, x], x, attributes);
    g.output('y', y);
    const [node] = parse(g).graph!.node;
    assert.deepEqual([node.domain, node.input], ['com.microsoft', ['x', '', 'x']]);
    const [whole, list, text, real] = node.attribute;
    assert.deepEqual([whole.name, whole.i], ['whole', 3n]);
    assert.deepEqual([list.name, list.ints], ['list', [1n, 0n]]);
    assert.deepEqual([text.name, new TextDecoder().decode(text.s)], ['text', 'é']);
    assert.deepEqual([real.name, real.f], ['real', 0.5]);
  });

  it('points at weights in a file, and holds constants itself', () => {
    const g = new Graph();
    const file = join(import.meta.dirname, 'a b.safetensors');
    const weight = g.external('w', 'bfloat16', [2, 3], { file, offset: 2 ** 40, bytes: 12 });
    const constant = g.floats(Float32Array.of(0, 1, 2, 3).subarray(1, 3), [2], 'c');
    g.output('y', g.op('Op', [weight, constant], weight));
    const [w, c] = parse(g).graph!.initializer;
    assert.deepEqual([w.name, w.dims, w.dataType], ['w', [2n, 3n], TensorProto_DataType.BFLOAT16]);
    assert.equal(w.dataLocation, TensorProto_DataLocation.EXTERNAL);
    assert.equal(w.rawData.length, 0);
    assert.deepEqual(Object.fromEntries(w.externalData.map(({ key, value }) => [key, value])), {
      location: 'a b.safetensors',
      offset: '1099511627776',
      length: '12',
    });
    assert.equal(g.serialize().folder, import.meta.dirname);
    assert.deepEqual([c.name, c.dims, c.dataType], ['c', [2n], TensorProto_DataType.FLOAT]);
    assert.deepEqual([...c.rawData], [...new Uint8Array(Float32Array.of(1, 2).buffer)]);
  });

  it('names files of several folders from the deepest one that holds them all', () => {
    const g = new Graph();
    const root = import.meta.dirname;
    const at = (...path: string[]) => ({ file: join(root, ...path), offset: 0, bytes: 8 });
    const weights = [at('a', 'b', 'x'), at('a', 'c', 'y'), at('d')].map((place, i) => {
      return g.external(`w${i}`, 'float32', [2], place);
    });
    const places = (graph: { bytes: Uint8Array }): (string | undefined)[] =>
      fromBinary(ModelProtoSchema, graph.bytes).graph!.initializer.map(({ externalData }) => externalData[0].value);
    const sum = (values: typeof weights) => g.node('Sum', values, {}, [{ type: 'float32', shape: [2] }])[0];
    const [all, two] = [sum(weights), sum(weights.slice(0, 2))];
    const whole = g.extract([{ name: 'all', value: all }]);
    assert.equal(whole.folder, root);
    assert.deepEqual(places(whole), ['a/b/x', 'a/c/y', 'd']);
    const part = g.extract([{ name: 'two', value: two }]);
    assert.equal(part.folder, join(root, 'a'));
    assert.deepEqual(places(part), ['b/x', 'c/y']);
    assert.equal(new Graph().serialize().folder, undefined);
  });

  it('keeps a constant as it was when the caller reuses its memory', () => {
    const g = new Graph();
    const data = Float32Array.of(1);
    g.output('y', g.op('Neg', [g.floats(data, [1])], { type: 'float32', shape: [1] }));
    data[0] = 2;
    assert.deepEqual([...parse(g).graph!.initializer[0].rawData], [...new Uint8Array(Float32Array.of(1).buffer)]);
  });

  it('shares equal scalars, integer lists and dimensions', () => {
    const g = new Graph();
    g.input('x', 'float32', ['rows', 'length']);
    assert.equal(g.scalar(0.5), g.scalar(0.5));
    assert.notEqual(g.scalar(0.5), g.scalar(-0.5));
    assert.equal(g.ints(1, 2), g.ints(1, 2));
    assert.notEqual(g.ints(1, 2), g.ints(12));
    const length = g.dimension('length');
    assert.equal(g.dimension('length'), length);
    assert.deepEqual([length.type, length.shape], ['int64', [1]]);
    assert.deepEqual([g.hasDimension('rows'), g.hasDimension('columns')], [true, false]);
    assert.throws(() => g.dimension('columns'), /columns/);
  });

  it('gives every output a producer of its own, be it an input, an initializer or an output already', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    const w = g.external('w', 'float32', [2], { file: 'f', offset: 0, bytes: 8 });
    const negative = g.op('Neg', [x], x);
    g.output('same', x);
    g.output('weight', w);
    g.output('once', negative);
    g.output('twice', negative);
    const graph = parse(g).graph!;
    const produced = graph.node.flatMap((n) => n.output);
    assert.equal(new Set(produced).size, produced.length);
    for (const { name } of graph.output) assert.ok(produced.includes(name), `nothing produces ${name}`);
    const sources = new Map(graph.node.map((n) => [n.output[0], [n.opType, n.input[0]]]));
    assert.deepEqual(sources.get('same'), ['Identity', 'x']);
    assert.deepEqual(sources.get('weight'), ['Identity', 'w']);
    assert.deepEqual(sources.get('once'), ['Neg', 'x']);
    assert.deepEqual(sources.get('twice'), ['Identity', 'once']);
  });

  it('is cut where the results of expensive ops are handed over, and nothing that can be had from them', () => {
    const g = new Graph();
    const [x, dy, w] = ['x', 'dy', 'w'].map((name) => g.input(name, 'float32', ['n']));
    const op = (type: string, ...inputs: Value[]): Value => g.op(type, inputs, x);
    const product = op('Expensive', op('Cheap', x), w);
    const unread = op('Expensive', product);
    const bent = op('Cheap', product);
    const second = op('Expensive', bent);
    const both = op('Cheap', op('Cheap', second), op('Cheap', x));
    const result = op('Cheap', op('Cheap', dy, bent), op('Cheap', both, w));
    assert.deepEqual(
      g
        .cut(x, dy, new Set(['Expensive']))
        .map((v) => v.name)
        .sort(),
      [product.name, second.name].sort(),
    );
    assert.ok(unread);
    const handed = g.cut(x, dy, new Set(['Expensive']));
    const half = fromBinary(ModelProtoSchema, g.extract([{ name: 'd', value: result }], handed).bytes).graph!;
    assert.ok(
      half.node.every(({ opType }) => opType === 'Cheap'),
      'no expensive op is computed twice',
    );
    assert.deepEqual(half.input.map(({ name }) => name).sort(), ['dy', 'w', 'x', product.name, second.name].sort());
  });
});
