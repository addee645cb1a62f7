/**
 * A small ONNX graph under construction: values with types and shapes, nodes, and initializers that may point straight
 * into a checkpoint's file ("a graph is a view": nothing is converted, nothing is copied).
 *
 * Ops are functions over a graph (`ops/`): each states its shape rule, appends its nodes and records its gradient rule
 * on the tape, from which `gradient.ts` appends the backward nodes.
 */
import { relative, sep } from 'node:path';
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  type AttributeProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';
import { commonFolder } from '../files/paths';

/** An extent: a known number, or a name for an extent that is known at run time. */
export type Dim = number | string;

export type ElementType =
  'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool';

const ELEMENT_TYPES: Record<ElementType, DataType> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int32: DataType.INT32,
  int64: DataType.INT64,
  bool: DataType.BOOL,
};

const ELEMENT_BYTES: Record<ElementType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** The ONNX code of an element type, as the `to` attribute of Cast wants it. */
export function elementTypeCode(type: ElementType): number {
  return ELEMENT_TYPES[type];
}

/** An edge of the graph. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

/** A graph as a model file, and what onnxruntime needs beside it. */
export interface GraphFile {
  /** Empty where `complete` is set. */
  readonly bytes: Uint8Array;
  /** Computes what the graph's constants lack, and gives the bytes. It throws what computing throws. */
  readonly complete?: () => Promise<Uint8Array>;
  /** The folder that the places of external data are relative to; undefined without any. */
  readonly folder?: string;
}

/** Where the bytes of an initializer are. */
export interface ExternalBytes {
  /** Absolute path, symbolic links resolved: onnxruntime refuses a path that leaves its folder through a link. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A float attribute; plain numbers are integers. */
export interface FloatAttribute {
  readonly float: number;
}
export type Attribute = number | readonly number[] | string | FloatAttribute;

/** What a differentiable op records: given ∂L/∂outputs, how to build ∂L/∂input for each of its inputs. */
export interface TapeEntry {
  readonly outputs: readonly Value[];
  readonly inputs: readonly Value[];
  /**
   * One builder per input; only those that lead to a wanted gradient are called. The gradient of an output on which
   * the loss does not depend is undefined.
   */
  readonly backward: (gradients: readonly (Value | undefined)[]) => readonly (() => Value)[];
}

interface Node {
  readonly opType: string;
  readonly name: string;
  readonly domain: string;
  readonly input: string[];
  readonly output: string[];
  readonly attribute: MessageInitShape<typeof AttributeProtoSchema>[];
}

/** Writes all bytes of a constant. */
type LaterBytes = (into: Uint8Array<ArrayBuffer>) => Promise<void>;

/** A constant: its data are in the graph, or in a file, or computed when a session opens. */
interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer> | ExternalBytes | LaterBytes;
}

/** ONNX operator set: 21 is what every execution provider of onnxruntime 1.30 implements for our ops. */
const OPSET = 21;
/** Of the file format, not of the ops; 10 is the first version that knows opset 21. */
const IR_VERSION = 10n;
const CONTRIB_DOMAIN = 'com.microsoft';

export class Graph {
  readonly tape: TapeEntry[] = [];
  private readonly nodes: Node[] = [];
  private readonly initializers: Initializer[] = [];
  private readonly inputs: Value[] = [];
  private readonly outputs: { name: string; value: Value }[] = [];
  private readonly constants = new Map<string, Value>();
  private readonly dimensions = new Map<string, Value>();
  private readonly values = new Map<string, Value>();
  private counter = 0;

  /** Declares a feed. */
  input(name: string, type: ElementType, shape: readonly Dim[]): Value {
    const value = { name, type, shape };
    this.inputs.push(value);
    return value;
  }

  /** Declares a fetch: `value` leaves the graph under `name`. */
  output(name: string, value: Value): void {
    const { name: from } = value;
    // Only the result of a node can be renamed, and only once.
    const computed = this.nodes.some((n) => n.output.includes(from));
    const taken = !computed || this.outputs.some((o) => o.value === value);
    this.outputs.push({ name, value: taken ? this.op('Identity', [value], value) : value });
  }

  /** An initializer whose bytes stay in a file. */
  external(name: string, type: ElementType, shape: readonly number[], at: ExternalBytes): Value {
    this.initializers.push({ name, type, shape, data: at });
    return { name, type, shape };
  }

  /** A float32 constant held in the graph. */
  floats(data: Float32Array, shape: readonly number[], name = this.fresh('const')): Value {
    return this.constant(name, 'float32', shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** A constant of bytes held in the graph. */
  bytes(type: 'int8' | 'uint8', data: Int8Array | Uint8Array, shape: readonly number[]): Value {
    return this.constant(
      this.fresh('const'),
      type,
      shape,
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }

  /** A constant whose bytes are computed when a session opens; each time anew, and in the order of their calls. */
  later(type: ElementType, shape: readonly number[], data: LaterBytes): Value {
    const name = this.fresh('const');
    this.initializers.push({ name, type, shape, data });
    return { name, type, shape };
  }

  /** A float32 scalar; equal scalars are shared. */
  scalar(value: number): Value {
    return this.once(`f${value}`, () => this.floats(Float32Array.of(value), []));
  }

  /** A one-dimensional int64 constant; equal lists are shared. */
  ints(...values: readonly number[]): Value {
    return this.indices(values);
  }

  /** The same for a list of any length. */
  indices(values: readonly number[]): Value {
    return this.once(`i${values.join(',')}`, () => {
      const data = BigInt64Array.from(values, BigInt);
      return this.constant(this.fresh('const'), 'int64', [values.length], new Uint8Array(data.buffer));
    });
  }

  /** What `make` gives, made once for each key in this graph. */
  once(key: string, make: () => Value): Value {
    let value = this.constants.get(key);
    if (!value) this.constants.set(key, (value = make()));
    return value;
  }

  /** Appends a node with one result, whose type and shape are those of `output`. Only the ops of `ops/` call it. */
  op(
    op: string,
    inputs: readonly (Value | undefined)[],
    output: Omit<Value, 'name'>,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.node(op, inputs, attributes, [output])[0];
  }

  /** Like `op`, for a node with several results. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: readonly Omit<Value, 'name'>[],
    domain = '',
  ): Value[] {
    const values = outputs.map(({ type, shape }) => ({ name: this.fresh(op), type, shape }));
    values.forEach((v) => this.values.set(v.name, v));
    this.nodes.push({
      opType: op,
      name: this.fresh(op),
      domain,
      input: inputs.map((i) => i?.name ?? ''),
      output: values.map((v) => v.name),
      attribute: Object.entries(attributes).map(([name, value]) => encodeAttribute(name, value)),
    });
    return values;
  }

  /** Records the gradient rule of an op with one result: `backward` gets ∂L/∂output. */
  record(output: Value, inputs: readonly Value[], backward: (gradient: Value) => readonly (() => Value)[]): Value {
    this.tape.push({ outputs: [output], inputs, backward: ([d]) => backward(d!) });
    return output;
  }

  /** Like `node`, for onnxruntime's own operators. */
  contrib(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: readonly Omit<Value, 'name'>[],
  ): Value[] {
    return this.node(op, inputs, attributes, outputs, CONTRIB_DOMAIN);
  }

  /** Like `op`, for onnxruntime's own operators. */
  contribOp(
    op: string,
    inputs: readonly (Value | undefined)[],
    output: Omit<Value, 'name'>,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    return this.contrib(op, inputs, attributes, [output])[0];
  }

  /** Whether an input has the named dimension, so that `dimension` can read its extent. */
  hasDimension(name: string): boolean {
    return this.inputs.some((i) => i.shape.includes(name));
  }

  /**
   * The extent of the named dimension at run time, as an int64 vector of length 1. It is read from the input that has
   * the dimension.
   */
  dimension(name: string): Value {
    let value = this.dimensions.get(name);
    if (!value) {
      const source = this.inputs.find((i) => i.shape.includes(name));
      if (!source) throw new Error(`no input has a dimension '${name}'`);
      const axis = source.shape.indexOf(name);
      value = this.op('Shape', [source], { type: 'int64', shape: [1] }, { start: axis, end: axis + 1 });
      this.dimensions.set(name, value);
    }
    return value;
  }

  /** The model file of the whole graph, as onnxruntime takes it from memory. */
  serialize(): GraphFile {
    return this.encode(this.nodes, this.initializers, this.inputs, this.outputs);
  }

  /**
   * The model file of the nodes that `outputs` need. `given` values become feeds and are not computed. Inputs and
   * initializers that are not needed are left out.
   */
  extract(outputs: readonly { name: string; value: Value }[], given: readonly Value[] = []): GraphFile {
    const available = new Set([...given, ...this.inputs].map((v) => v.name));
    const producers = new Map(this.nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
    const needed = new Set<string>();
    const nodes = new Set<Node>();
    const stack = outputs.map((o) => o.value.name);
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      const node = available.has(name) ? undefined : producers.get(name);
      if (!node || nodes.has(node)) continue;
      nodes.add(node);
      stack.push(...node.input);
    }
    return this.encode(
      this.nodes.filter((n) => nodes.has(n)),
      this.initializers.filter((i) => needed.has(i.name)),
      [...this.inputs, ...given].filter((v) => needed.has(v.name)),
      outputs,
    );
  }

  /**
   * Where to cut the graph between the part that follows from `source` and the part that follows from `sink`.
   *
   * Nodes of the second part read values that follow from `source` but not from `sink`. These values must be handed
   * over, or be recomputed from values that are handed over. On the way back to `source`, only the results of the ops
   * named in `expensive` are handed over; all other values are recomputed. Other inputs of such nodes (constants, other
   * graph inputs and what follows from them, index arithmetic) are recomputed in the second part too.
   */
  cut(source: Value, sink: Value, expensive: ReadonlySet<string>): Value[] {
    const fromSource = new Map<string, Node>();
    const fromSink = new Set([sink.name]);
    const wanted: string[] = [];
    for (const node of this.nodes) {
      if (node.input.some((name) => fromSink.has(name))) {
        node.output.forEach((name) => fromSink.add(name));
        wanted.push(...node.input);
      } else if (node.input.some((name) => name === source.name || fromSource.has(name))) {
        node.output.forEach((name) => fromSource.set(name, node));
      }
    }
    const seen = new Set<string>();
    const handed: Value[] = [];
    for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
      const node = fromSource.get(name);
      if (!node || seen.has(name)) continue;
      seen.add(name);
      if (expensive.has(node.opType)) handed.push(this.values.get(name)!);
      else wanted.push(...node.input);
    }
    return handed;
  }

  private encode(
    nodes: readonly Node[],
    initializers: readonly Initializer[],
    inputs: readonly Value[],
    outputs: readonly { name: string; value: Value }[],
  ): GraphFile {
    const folder = commonFolder(
      initializers.flatMap(({ data }) => (data instanceof Uint8Array || typeof data === 'function' ? [] : [data.file])),
    );
    const renamed = new Map(outputs.map(({ name, value }) => [value.name, name]));
    const rename = (name: string): string => renamed.get(name) ?? name;
    const info = (name: string, { type, shape }: Value): MessageInitShape<typeof ValueInfoProtoSchema> => ({
      name,
      type: {
        value: { case: 'tensorType', value: { elemType: ELEMENT_TYPES[type], shape: { dim: shape.map(encodeDim) } } },
      },
    });
    const bytesWith = (constants: readonly Initializer[]): Uint8Array => {
      const model = create(ModelProtoSchema, {
        irVersion: IR_VERSION,
        producerName: 'coppice',
        opsetImport: [
          { domain: '', version: BigInt(OPSET) },
          { domain: CONTRIB_DOMAIN, version: 1n },
        ],
        graph: {
          name: 'coppice',
          node: nodes.map(({ opType, name, domain, input, output, attribute }) => {
            return { opType, name, domain, attribute, input: input.map(rename), output: output.map(rename) };
          }),
          initializer: constants.map((initializer) => encodeInitializer(initializer, folder)),
          input: inputs.map((i) => info(i.name, i)),
          output: outputs.map(({ name, value }) => info(name, value)),
        },
      });
      return toBinary(ModelProtoSchema, model);
    };
    if (!initializers.some(({ data }) => typeof data === 'function')) return { bytes: bytesWith(initializers), folder };
    const complete = (): Promise<Uint8Array> =>
      withLater(bytesWith(initializers.filter(({ data }) => typeof data !== 'function')), initializers);
    return { bytes: new Uint8Array(), complete, folder };
  }

  private constant(name: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): Value {
    this.initializers.push({
      name,
      type,
      shape,
      data: Uint8Array.from(bytes), // a copy: the caller's buffer may be larger, or be reused
    });
    return { name, type, shape };
  }

  private fresh(stem: string): string {
    return `${stem}_${this.counter++}`;
  }
}

/**
 * The model file with those constants that are computed now. They are written where they belong in the file, so that large ones are
 * in memory once: Protocol Buffers merges messages that occur twice, and a second `graph` that has only constants adds them to the
 * first.
 */
async function withLater(model: Uint8Array, initializers: readonly Initializer[]): Promise<Uint8Array> {
  const parts: { readonly prefix: Uint8Array; readonly bytes: number; readonly write: LaterBytes }[] = [];
  for (const { name, type, shape, data } of initializers) {
    if (typeof data !== 'function') continue;
    const bytes = shape.reduce((product, extent) => product * extent, ELEMENT_BYTES[type]);
    const header = toBinary(
      TensorProtoSchema,
      create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType: ELEMENT_TYPES[type] }),
    );
    const tensor = Buffer.concat([header, fieldStart(TensorProtoSchema.field.rawData.number, bytes)]);
    const start = fieldStart(GraphProtoSchema.field.initializer.number, tensor.length + bytes);
    parts.push({ prefix: Buffer.concat([start, tensor]), bytes, write: data });
  }
  const length = parts.reduce((sum, { prefix, bytes }) => sum + prefix.length + bytes, 0);
  const graph = fieldStart(ModelProtoSchema.field.graph.number, length);
  const file = new Uint8Array(model.length + graph.length + length);
  file.set(model);
  file.set(graph, model.length);
  let at = model.length + graph.length;
  for (const { prefix, bytes, write } of parts) {
    file.set(prefix, at);
    at += prefix.length;
    await write(file.subarray(at, at + bytes));
    at += bytes;
  }
  return file;
}

/** What stands before the bytes of a field in a message of Protocol Buffers. */
function fieldStart(number: number, bytes: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(bytes).finish();
}

function encodeInitializer(
  { name, type, shape, data }: Initializer,
  folder: string | undefined,
): MessageInitShape<typeof TensorProtoSchema> {
  const tensor = { name, dims: shape.map(BigInt), dataType: ELEMENT_TYPES[type] };
  if (typeof data === 'function') throw new Error(`${name} is not computed yet`);
  if (data instanceof Uint8Array) return { ...tensor, rawData: data };
  const location = relative(folder ?? '', data.file)
    .split(sep)
    .join('/');
  const externalData = [
    { key: 'location', value: location },
    { key: 'offset', value: String(data.offset) },
    { key: 'length', value: String(data.bytes) },
  ];
  return { ...tensor, dataLocation: DataLocation.EXTERNAL, externalData };
}

function encodeDim(dim: Dim): { value: { case: 'dimValue'; value: bigint } | { case: 'dimParam'; value: string } } {
  return typeof dim === 'number'
    ? { value: { case: 'dimValue', value: BigInt(dim) } }
    : { value: { case: 'dimParam', value: dim } };
}

function encodeAttribute(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}
