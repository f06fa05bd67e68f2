/** A process that takes memory and gives it back as it is told. */
let held: ArrayBuffer | null = null;

process.on('message', (what) => {
  if (what === 'take') {
    held = new ArrayBuffer(256 * 2 ** 20);
    new Uint8Array(held).fill(1);
  }
  if (what === 'free' && held) {
    held.transfer(0);
    held = null;
  }
  process.send?.('done');
});
process.on('disconnect', () => process.exit(0));
