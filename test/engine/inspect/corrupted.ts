import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Copies a model folder and turns the values of one of its float32 tensors around. */
export function writeCorrupted(from: string, to: string, tensor: string): void {
  cpSync(from, to, { recursive: true });
  const file = join(to, 'model.safetensors');
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header: unknown = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength));
  const entry = new Map(Object.entries(header as object)).get(tensor) as
    { dtype: string; data_offsets: [number, number] } | undefined;
  if (entry?.dtype !== 'F32') throw new Error(`no float32 tensor of this name: ${tensor}`);
  const [start, end] = entry.data_offsets.map((offset) => 8 + headerLength + offset);
  for (let at = start; at < end; at += 4) bytes.writeFloatLE(-2 * bytes.readFloatLE(at), at);
  writeFileSync(file, bytes);
}
