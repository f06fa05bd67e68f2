import { describe, expect, it } from 'vitest';
import { toNpy } from '../../../renderer/ui/npy.ts';

/** A reader of the format as its specification (NEP 1) describes it. */
function read(file: Uint8Array<ArrayBuffer>) {
  const view = new DataView(file.buffer);
  const length = view.getUint16(8, true);
  const header = new TextDecoder().decode(file.subarray(10, 10 + length));
  return { start: 10 + length, header, view };
}

describe('a NumPy file', () => {
  it('says type, order and shape, and holds the numbers from a multiple of 64 bytes on', () => {
    const file = toNpy({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, -6.5) });
    const { start, header, view } = read(file);
    expect([...file.subarray(0, 8)]).toEqual([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
    expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/);
    expect(start % 64).toBe(0);
    expect(view.getFloat32(start + 20, true)).toBe(-6.5);
    expect(file.length).toBe(start + 24);
  });

  it('writes one dimension as a tuple, and whole numbers as int32', () => {
    const { header } = read(toNpy({ shape: [4], data: Int32Array.of(1, 2, 3, 4) }));
    expect(header).toContain("'descr': '<i4'");
    expect(header).toContain("'shape': (4,)");
  });

  it('takes a part of a larger buffer', () => {
    const { start, view } = read(
      toNpy({ shape: [2], data: Float32Array.of(9, 9, 7, 8).subarray(2) }),
    );
    expect([view.getFloat32(start, true), view.getFloat32(start + 4, true)]).toEqual([7, 8]);
  });
});
