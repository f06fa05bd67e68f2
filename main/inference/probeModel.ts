/**
 * The graph that the start-up probe of session.ts runs, as an encoded ONNX model: input `value`
 * float32 [1], outputs `fetch_guard` = SequenceConstruct(value) and `sum` float32 [1] = value + value.
 * The test beside it builds the same bytes with main/onnx.
 */
export function probeModel(): Uint8Array {
  return Buffer.from(encoded, 'base64');
}

const encoded =
  'CAgSBWxhdGhlOqcBCjwKBXZhbHVlEgtmZXRjaF9ndWFyZBoTU2VxdWVuY2VDb25zdHJ1Y3RfMCIRU2VxdWVuY2VDb25zdHJ1Y3QKHwoFdmFsdWUKBXZhbHVlEgNzdW0aBUFkZF8xIgNBZGQSBXByb2JlWhMKBXZhbHVlEgoKCAgBEgQKAggBYhcKC2ZldGNoX2d1YXJkEggiBgoECgIIAWIRCgNzdW0SCgoICAESBAoCCAFCAhAR';
