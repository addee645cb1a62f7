/**
 * A small ONNX graph under construction: values with types and shapes, nodes, and initializers that may point straight
 * into a checkpoint's file ("a graph is a view": nothing is converted, nothing is copied).
 *
 * Ops are functions over a graph (`ops/`): each states its shape rule, appends its nodes and records its gradient rule
 * on the tape, from which `gradient.ts` appends the backward nodes.
 */
import {
  type Attribute,
  type BesideBytes,
  type BodyAttribute,
  CONTRIB_DOMAIN,
  type ExternalBytes,
  type GraphFile,
  type GraphParts,
  type Initializer,
  type LaterBytes,
  modelFile,
  type Node,
} from './model-file';

/** An extent: a known number, or a name for an extent that is known at run time. */
export type Dim = number | string;

export type ElementType =
  'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool';

/** An edge of the graph. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

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
  private isBfloat16 = false;

  /** @param prefix of the names of values and nodes */
  constructor(private readonly prefix = '') {}

  /** Declares a feed. */
  input(name: string, type: ElementType, shape: readonly Dim[]): Value {
    const value = { name, type, shape };
    this.inputs.push(value);
    return value;
  }

  /** Declares a fetch: `value` leaves the graph under `name`. */
  output(name: string, value: Value): void {
    // A result can be renamed only once.
    const isTaken = this.outputs.some((o) => o.value === value);
    this.outputs.push({ name, value: isTaken ? this.op('Identity', [value], value) : this.computed(value) });
  }

  /** The value as the result of a node: a feed and an initializer are none, and only results leave a graph. */
  computed(value: Value): Value {
    return this.nodes.some((n) => n.output.includes(value.name)) ? value : this.op('Identity', [value], value);
  }

  /** An initializer whose bytes stay in a file. */
  external(name: string, type: ElementType, shape: readonly number[], at: ExternalBytes): Value {
    return this.initializer(name, type, shape, at);
  }

  /** An initializer whose bytes will be in a file beside the model. */
  beside(name: string, type: ElementType, shape: readonly number[], at: BesideBytes): Value {
    return this.initializer(name, type, shape, at);
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

  /** A constant whose bytes are computed whenever a session opens, in the order of these calls. */
  later(type: ElementType, shape: readonly number[], write: LaterBytes): Value {
    const name = this.fresh('const');
    this.initializers.push({ name, type, shape, write });
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
      attributes,
      ...(op === 'MatMul' && inputs[1]?.type === 'float32' && { secondRank: inputs[1].shape.length }),
    });
    return values;
  }

  /**
   * x B in bfloat16, summed in float32: only `mlas` for arm64 has such products. x: (n, k), b: (k, m) constant, both float32
   * → (n, m). All other products of this graph stay float32. No gradient.
   */
  bfloat16Product(x: Value, b: Value): Value {
    this.isBfloat16 = true;
    return this.contribOp('FusedMatMul', [x, b], { type: 'float32', shape: [x.shape[0], b.shape[1]] });
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
    return modelFile(this.parts());
  }

  /** The graph as the body of a node of another graph. Its names begin with `prefix`, so that both have different ones. */
  static body(prefix: string, build: (g: Graph) => void): BodyAttribute {
    const g = new Graph(prefix);
    build(g);
    return { body: g.parts() };
  }

  private parts(): GraphParts {
    const { nodes, initializers, inputs, outputs, isBfloat16 } = this;
    return { nodes, initializers, inputs, outputs, isBfloat16 };
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
    return modelFile({
      nodes: this.nodes.filter((n) => nodes.has(n)),
      initializers: this.initializers.filter((i) => needed.has(i.name)),
      inputs: [...this.inputs, ...given].filter((v) => needed.has(v.name)),
      outputs,
      isBfloat16: this.isBfloat16,
    });
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

  private constant(name: string, type: ElementType, shape: readonly number[], bytes: Uint8Array): Value {
    // A copy: the caller's buffer may be larger, or be reused.
    return this.initializer(name, type, shape, Uint8Array.from(bytes));
  }

  private initializer(
    name: string,
    type: ElementType,
    shape: readonly number[],
    data: Uint8Array<ArrayBuffer> | ExternalBytes | BesideBytes,
  ): Value {
    this.initializers.push({ name, type, shape, data });
    return { name, type, shape };
  }

  private fresh(stem: string): string {
    return `${this.prefix}${stem}_${this.counter++}`;
  }
}
