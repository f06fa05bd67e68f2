import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The window with a stand-in for the engine: `npx vite --config test/renderer/gallery/vite.config.ts`. */
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: resolve(import.meta.dirname, '../../../node_modules/.vite-gallery'),
  plugins: [react()],
  build: { outDir: resolve(import.meta.dirname, '../../../out/gallery'), emptyOutDir: true },
});
