const names: Readonly<Record<string, string>> = {
  cpu: 'CPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  coreml: 'Core ML',
  dml: 'DirectML',
};

/** A device as its makers write it: `WebGPU`. */
export const deviceName = (device: string): string => names[device] ?? device;
