/**
 * ONNX's protobuf messages as of ONNX 1.22 (onnx-ml.proto), by field name with number and type.
 * Whatever is not in this table is an unknown field and is kept as bytes.
 */
export const schema = {
  Model: {
    irVersion: { number: 1, type: 'int64' },
    producerName: { number: 2, type: 'string' },
    producerVersion: { number: 3, type: 'string' },
    domain: { number: 4, type: 'string' },
    modelVersion: { number: 5, type: 'int64' },
    docString: { number: 6, type: 'string' },
    graph: { number: 7, type: 'Graph' },
    opsetImport: { number: 8, type: 'OperatorSetId', repeated: true },
    metadataProps: { number: 14, type: 'StringStringEntry', repeated: true },
    trainingInfo: { number: 20, type: 'TrainingInfo', repeated: true },
    functions: { number: 25, type: 'Function', repeated: true },
    configuration: { number: 26, type: 'DeviceConfiguration', repeated: true },
  },
  OperatorSetId: {
    domain: { number: 1, type: 'string' },
    version: { number: 2, type: 'int64' },
  },
  StringStringEntry: {
    key: { number: 1, type: 'string' },
    value: { number: 2, type: 'string' },
  },
  DeviceConfiguration: {
    name: { number: 1, type: 'string' },
    numDevices: { number: 2, type: 'int32' },
    device: { number: 3, type: 'string', repeated: true },
  },
  TrainingInfo: {
    initialization: { number: 1, type: 'Graph' },
    algorithm: { number: 2, type: 'Graph' },
    initializationBinding: { number: 3, type: 'StringStringEntry', repeated: true },
    updateBinding: { number: 4, type: 'StringStringEntry', repeated: true },
  },
  Graph: {
    node: { number: 1, type: 'Node', repeated: true },
    name: { number: 2, type: 'string' },
    initializer: { number: 5, type: 'Tensor', repeated: true },
    docString: { number: 10, type: 'string' },
    input: { number: 11, type: 'ValueInfo', repeated: true },
    output: { number: 12, type: 'ValueInfo', repeated: true },
    valueInfo: { number: 13, type: 'ValueInfo', repeated: true },
    quantizationAnnotation: { number: 14, type: 'TensorAnnotation', repeated: true },
    sparseInitializer: { number: 15, type: 'SparseTensor', repeated: true },
    metadataProps: { number: 16, type: 'StringStringEntry', repeated: true },
  },
  TensorAnnotation: {
    tensorName: { number: 1, type: 'string' },
    quantParameterTensorNames: { number: 2, type: 'StringStringEntry', repeated: true },
  },
  Node: {
    input: { number: 1, type: 'string', repeated: true },
    output: { number: 2, type: 'string', repeated: true },
    name: { number: 3, type: 'string' },
    opType: { number: 4, type: 'string' },
    attribute: { number: 5, type: 'Attribute', repeated: true },
    docString: { number: 6, type: 'string' },
    domain: { number: 7, type: 'string' },
    overload: { number: 8, type: 'string' },
    metadataProps: { number: 9, type: 'StringStringEntry', repeated: true },
    deviceConfigurations: { number: 10, type: 'NodeDeviceConfiguration', repeated: true },
  },
  NodeDeviceConfiguration: {
    configurationId: { number: 1, type: 'string' },
    shardingSpec: { number: 2, type: 'ShardingSpec', repeated: true },
    pipelineStage: { number: 3, type: 'int32' },
  },
  ShardingSpec: {
    tensorName: { number: 1, type: 'string' },
    device: { number: 2, type: 'int64', repeated: true },
    indexToDeviceGroupMap: { number: 3, type: 'IntIntListEntry', repeated: true },
    shardedDim: { number: 4, type: 'ShardedDim', repeated: true },
  },
  IntIntListEntry: {
    key: { number: 1, type: 'int64' },
    value: { number: 2, type: 'int64', repeated: true },
  },
  ShardedDim: {
    axis: { number: 1, type: 'int64' },
    simpleSharding: { number: 2, type: 'SimpleShardedDim', repeated: true },
  },
  SimpleShardedDim: {
    dimValue: { number: 1, type: 'int64', oneof: true },
    dimParam: { number: 2, type: 'string', oneof: true },
    numShards: { number: 3, type: 'int64' },
  },
  Attribute: {
    name: { number: 1, type: 'string' },
    f: { number: 2, type: 'float' },
    i: { number: 3, type: 'int64' },
    s: { number: 4, type: 'bytes' },
    t: { number: 5, type: 'Tensor' },
    g: { number: 6, type: 'Graph' },
    floats: { number: 7, type: 'float', repeated: true },
    ints: { number: 8, type: 'int64', repeated: true },
    strings: { number: 9, type: 'bytes', repeated: true },
    tensors: { number: 10, type: 'Tensor', repeated: true },
    graphs: { number: 11, type: 'Graph', repeated: true },
    docString: { number: 13, type: 'string' },
    tp: { number: 14, type: 'Type' },
    typeProtos: { number: 15, type: 'Type', repeated: true },
    type: { number: 20, type: 'int32' },
    refAttrName: { number: 21, type: 'string' },
    sparseTensor: { number: 22, type: 'SparseTensor' },
    sparseTensors: { number: 23, type: 'SparseTensor', repeated: true },
  },
  Tensor: {
    dims: { number: 1, type: 'int64', repeated: true },
    dataType: { number: 2, type: 'int32' },
    segment: { number: 3, type: 'Segment' },
    floatData: { number: 4, type: 'packed32' },
    int32Data: { number: 5, type: 'packedVarint' },
    stringData: { number: 6, type: 'bytes', repeated: true },
    int64Data: { number: 7, type: 'packedVarint' },
    name: { number: 8, type: 'string' },
    rawData: { number: 9, type: 'payload' },
    doubleData: { number: 10, type: 'packed64' },
    uint64Data: { number: 11, type: 'packedVarint' },
    docString: { number: 12, type: 'string' },
    externalData: { number: 13, type: 'StringStringEntry', repeated: true },
    dataLocation: { number: 14, type: 'int32' },
    metadataProps: { number: 16, type: 'StringStringEntry', repeated: true },
  },
  Segment: {
    begin: { number: 1, type: 'int64' },
    end: { number: 2, type: 'int64' },
  },
  SparseTensor: {
    values: { number: 1, type: 'Tensor' },
    indices: { number: 2, type: 'Tensor' },
    dims: { number: 3, type: 'int64', repeated: true },
  },
  ValueInfo: {
    name: { number: 1, type: 'string' },
    type: { number: 2, type: 'Type' },
    docString: { number: 3, type: 'string' },
    metadataProps: { number: 4, type: 'StringStringEntry', repeated: true },
  },
  Type: {
    tensorType: { number: 1, type: 'TensorType', oneof: true },
    sequenceType: { number: 4, type: 'ElementType', oneof: true },
    mapType: { number: 5, type: 'MapType', oneof: true },
    denotation: { number: 6, type: 'string' },
    opaqueType: { number: 7, type: 'OpaqueType', oneof: true },
    sparseTensorType: { number: 8, type: 'TensorType', oneof: true },
    optionalType: { number: 9, type: 'ElementType', oneof: true },
  },
  /** TypeProto.Tensor and TypeProto.SparseTensor, which have the same fields. */
  TensorType: {
    elemType: { number: 1, type: 'int32' },
    shape: { number: 2, type: 'TensorShape' },
  },
  /** TypeProto.Sequence and TypeProto.Optional. */
  ElementType: {
    elemType: { number: 1, type: 'Type' },
  },
  MapType: {
    keyType: { number: 1, type: 'int32' },
    valueType: { number: 2, type: 'Type' },
  },
  OpaqueType: {
    domain: { number: 1, type: 'string' },
    name: { number: 2, type: 'string' },
  },
  TensorShape: {
    dim: { number: 1, type: 'Dimension', repeated: true },
  },
  Dimension: {
    dimValue: { number: 1, type: 'int64', oneof: true },
    dimParam: { number: 2, type: 'string', oneof: true },
    denotation: { number: 3, type: 'string' },
  },
  Function: {
    name: { number: 1, type: 'string' },
    input: { number: 4, type: 'string', repeated: true },
    output: { number: 5, type: 'string', repeated: true },
    attribute: { number: 6, type: 'string', repeated: true },
    node: { number: 7, type: 'Node', repeated: true },
    docString: { number: 8, type: 'string' },
    opsetImport: { number: 9, type: 'OperatorSetId', repeated: true },
    domain: { number: 10, type: 'string' },
    attributeProto: { number: 11, type: 'Attribute', repeated: true },
    valueInfo: { number: 12, type: 'ValueInfo', repeated: true },
    overload: { number: 13, type: 'string' },
    metadataProps: { number: 14, type: 'StringStringEntry', repeated: true },
  },
} as const satisfies Record<string, Record<string, Field>>;

/**
 * One field. A list of numbers is written element by element, as proto2 does; `packed…` lists
 * hold tensor elements and are written as one block. The `oneof` fields of a message exclude
 * each other.
 */
export interface Field {
  readonly number: number;
  readonly type: string;
  readonly repeated?: true;
  readonly oneof?: true;
}

/** Bytes that stay where they are until read. */
export interface Payload {
  readonly length: number;
  /** Where they lie in a file beside a graph. */
  readonly place?: { readonly file: string; readonly offset: number };
  read(): Uint8Array;
}

/** What the scalar types become. */
export interface Scalars {
  int32: number;
  int64: bigint;
  float: number;
  string: string;
  bytes: Uint8Array;
  payload: Payload;
  packed32: Payload;
  packed64: Payload;
  packedVarint: Payload;
}

type Schema = typeof schema;

/** Name of a message in the table. */
export type MessageName = keyof Schema;

type ValueOf<F extends Field> = F['type'] extends MessageName
  ? Wire<F['type']>
  : F['type'] extends keyof Scalars
    ? Scalars[F['type']]
    : never;

/** A decoded message: the fields that are present, and unknown ones as they stood, tag included. */
export type Wire<M extends MessageName> = {
  [K in keyof Schema[M]]?: Schema[M][K] extends Field
    ? Schema[M][K] extends { repeated: true }
      ? ValueOf<Schema[M][K]>[] | undefined
      : ValueOf<Schema[M][K]> | undefined
    : never;
} & { unknown?: Uint8Array[] };

/** What remains of a message beside the fields a model object shows. */
export type Kept<M extends MessageName> = Readonly<Wire<M>>;
