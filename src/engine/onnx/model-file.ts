/**
 * A graph in ONNX's file format, as onnxruntime takes it from memory: Protocol Buffers, with constants in the file, in the files of a
 * checkpoint, or computed when a session opens.
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
import { UserError } from '../errors';
import { commonFolder } from '../files/paths';
import { command, option } from '../option-token';
import type { Dim, ElementType, Value } from './graph';

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

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
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

/** A graph as a model file, and what onnxruntime needs beside it. */
export interface GraphFile {
  /** Empty where `complete` is set. */
  readonly bytes: Uint8Array;
  /** Computes what the graph's constants lack, and gives the bytes. It throws what computing throws. */
  readonly complete?: () => Promise<Uint8Array>;
  /** The folder that the places of external data are relative to; undefined without any. */
  readonly folder?: string;
  /** Files of external data, which onnxruntime maps into memory. */
  readonly files?: readonly string[];
  /** Its products of `FusedMatMul` without transposition are to be computed in bfloat16. */
  readonly isBfloat16?: boolean;
}

/** Where the bytes of an initializer are. */
export interface ExternalBytes {
  /** Absolute path, symbolic links resolved: onnxruntime refuses a path that leaves its folder through a link. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** The same in a file beside the model. The writer of the model names it. */
export interface BesideBytes {
  /** Name of the file, in the folder of the model. */
  readonly location: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A float attribute; plain numbers are integers. */
export interface FloatAttribute {
  readonly float: number;
}

/** A graph that is an attribute of a node: what a loop runs in each round. */
export interface BodyAttribute {
  readonly body: GraphParts;
}
export type Attribute = number | readonly number[] | string | FloatAttribute | BodyAttribute;

/** What a graph consists of. */
export interface GraphParts {
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  /** Has products in bfloat16; `MatMul` stays float32. */
  readonly isBfloat16?: boolean;
}

export interface Node {
  readonly opType: string;
  readonly name: string;
  readonly domain: string;
  readonly input: string[];
  readonly output: string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Of a product in float32: axes of the second factor. */
  readonly secondRank?: number;
}

/** Writes all bytes of a constant. */
export type LaterBytes = (into: Uint8Array<ArrayBuffer>) => Promise<void>;

interface Constant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A constant whose data are in the graph or in a file. */
interface StoredConstant extends Constant {
  readonly data: Uint8Array<ArrayBuffer> | ExternalBytes | BesideBytes;
}

/** A constant whose data are computed when a session opens. */
interface LaterConstant extends Constant {
  readonly write: LaterBytes;
}

export type Initializer = StoredConstant | LaterConstant;

/** ONNX operator set: 21 is what every execution provider of onnxruntime 1.30 implements for our ops. */
const OPSET = 21;
/** Of the file format, not of the ops; 10 is the first version that knows opset 21. */
const IR_VERSION = 10n;
/** Of onnxruntime's own operators. */
export const CONTRIB_DOMAIN = 'com.microsoft';

/** The file of a graph. */
export function modelFile(graph: GraphParts): GraphFile {
  const { isBfloat16 = false } = graph;
  const stored = graph.initializers.filter((one) => 'data' in one);
  const later = graph.initializers.filter((one) => 'write' in one);
  const files = [...new Set(stored.flatMap(({ data }) => ('file' in data ? [data.file] : [])))];
  const folder = commonFolder(files);
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'coppice',
    opsetImport: [
      { domain: '', version: BigInt(OPSET) },
      { domain: CONTRIB_DOMAIN, version: 1n },
    ],
    graph: encodeGraph(graph, stored, folder, isBfloat16),
  });
  const bytes = toBinary(ModelProtoSchema, model);
  return later.length === 0
    ? { bytes, folder, files, isBfloat16 }
    : { bytes: new Uint8Array(), complete: () => withLater(bytes, later), folder, files, isBfloat16 };
}

/**
 * The message of a graph.
 * @param stored the constants that it has, in files of `folder` or in itself
 * @param isBfloat16 the session has products in bfloat16, which `MatMul` must not become
 */
function encodeGraph(
  { nodes, inputs, outputs }: GraphParts,
  stored: readonly StoredConstant[],
  folder: string | undefined,
  isBfloat16: boolean,
): MessageInitShape<typeof GraphProtoSchema> {
  const renamed = new Map(outputs.map(({ name, value }) => [value.name, name]));
  const rename = (name: string): string => renamed.get(name) ?? name;
  const info = (name: string, { type, shape }: Value): MessageInitShape<typeof ValueInfoProtoSchema> => ({
    name,
    type: {
      value: { case: 'tensorType', value: { elemType: ELEMENT_TYPES[type], shape: { dim: shape.map(encodeDim) } } },
    },
  });
  return {
    name: 'coppice',
    node: (isBfloat16 ? nodes.flatMap(inFloat32) : nodes).map(
      ({ opType, name, domain, input, output, attributes }) => ({
        opType,
        name,
        domain,
        attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value, isBfloat16)),
        input: input.map(rename),
        output: output.map(rename),
      }),
    ),
    initializer: stored.map((constant) => encodeStored(constant, folder)),
    input: inputs.map((i) => info(i.name, i)),
    output: outputs.map(({ name, value }) => info(name, value)),
  };
}

/**
 * A product of float32 as nodes that stay float32 in a session with products in bfloat16: onnxruntime computes those alone so whose
 * second factor is not transposed. The optimizers that would take the transposition away are off (session.ts).
 */
function inFloat32(node: Node): Node[] {
  const { secondRank: rank, name, input, output } = node;
  if (rank === undefined || rank < 2) return [node];
  const turned = `${name}_turned`;
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return [
    { opType: 'Transpose', name: turned, domain: '', input: [input[1]], output: [turned], attributes: { perm } },
    {
      opType: 'FusedMatMul',
      name,
      domain: CONTRIB_DOMAIN,
      input: [input[0], turned],
      output,
      attributes: { transB: 1 },
    },
  ];
}

/**
 * The model file with those constants that are computed now. They are written where they belong in the file, so that large ones are
 * in memory once: Protocol Buffers merges messages that occur twice, and a second `graph` that has only constants adds them to the
 * first.
 */
async function withLater(model: Uint8Array, constants: readonly LaterConstant[]): Promise<Uint8Array> {
  const parts = constants.map((constant) => {
    const bytes = constant.shape.reduce((product, extent) => product * extent, ELEMENT_BYTES[constant.type]);
    const header = toBinary(TensorProtoSchema, create(TensorProtoSchema, encodeConstant(constant)));
    const tensor = Buffer.concat([header, fieldStart(TensorProtoSchema.field.rawData.number, bytes)]);
    const start = fieldStart(GraphProtoSchema.field.initializer.number, tensor.length + bytes);
    return { prefix: Buffer.concat([start, tensor]), bytes, write: constant.write };
  });
  const length = parts.reduce((sum, { prefix, bytes }) => sum + prefix.length + bytes, 0);
  if (model.length + length > MAX_FILE_BYTES) throw tooLarge(model.length + length);
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

/** The format's limit. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

const tooLarge = (bytes: number): UserError =>
  new UserError(
    'A part of the model is too large for a session',
    `its weights take ${bytes} bytes as float32, and a model in memory may have ${MAX_FILE_BYTES}`,
    `Use ${option('precision', 'int8')}, or write the model as a checkpoint (${command('export')}) and use that.`,
  );

/** What stands before the bytes of a field in a message of Protocol Buffers. */
function fieldStart(number: number, bytes: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(bytes).finish();
}

/** All but the data. */
function encodeConstant({ name, type, shape }: Constant): { name: string; dims: bigint[]; dataType: DataType } {
  return { name, dims: shape.map(BigInt), dataType: ELEMENT_TYPES[type] };
}

function encodeStored(
  { data, ...constant }: StoredConstant,
  folder: string | undefined,
): MessageInitShape<typeof TensorProtoSchema> {
  const tensor = encodeConstant(constant);
  if (data instanceof Uint8Array) return { ...tensor, rawData: data };
  const externalData = [
    {
      key: 'location',
      value:
        'file' in data
          ? relative(folder ?? '', data.file)
              .split(sep)
              .join('/')
          : data.location,
    },
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

function encodeAttribute(
  name: string,
  value: Attribute,
  isBfloat16: boolean,
): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ('body' in value) {
    const stored = value.body.initializers.filter((one) => 'data' in one);
    return { name, type: AttributeType.GRAPH, g: encodeGraph(value.body, stored, undefined, isBfloat16) };
  }
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}
