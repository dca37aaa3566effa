import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running desk. */
const desk = process.env["HUIXIN_DESK"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vue()],
  build: {
    target: "es2022",
    // The desk sends `default-src 'self'`: a data: URI or an inline script would be blocked.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": { target: desk, changeOrigin: false },
      "/ws": { target: desk, ws: true, changeOrigin: false },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.ts"],
  },
});
