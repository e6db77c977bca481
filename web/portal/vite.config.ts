import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Hashed files below /assets, nothing inlined: the page's policy allows scripts and styles of this origin only. */
// oxlint-disable-next-line import/no-default-export -- Vite wants it so
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 700,
  },
  server: {
    // `npm run dev -w web/portal` beside a server on its usual port.
    proxy: { '/api': 'http://127.0.0.1:8080', '/sign-in': 'http://127.0.0.1:8080' },
  },
});
