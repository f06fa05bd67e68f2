/**
 * The graph that the start-up probe of session.ts runs, as an encoded ONNX model: input `value`
 * float32 [1], outputs `fetch_guard` = SequenceConstruct(value) and `sum` float32 [1] = value + value.
 * The test beside it builds the same bytes with main/onnx.
 */
export function probeModel(): Uint8Array {
  return Buffer.from(encoded, 'base64');
}

const encoded =
  'CAgSBHBlcmZCBAoAEBFCEQoNY29tLm1pY3Jvc29mdBABOqUBCj0KBXZhbHVlEgtmZXRjaF9ndWFyZBoUU2VxdWVuY2VDb25zdHJ1Y3RfbjAiEVNlcXVlbmNlQ29uc3RydWN0CiAKBXZhbHVlCgV2YWx1ZRIDc3VtGgZBZGRfbjEiA0FkZBIBZ1oTCgV2YWx1ZRIKCggIARIECgIIAWIXCgtmZXRjaF9ndWFyZBIIIgYKBAoCCAFiEQoDc3VtEgoKCAgBEgQKAggB';
