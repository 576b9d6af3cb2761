import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

export default defineConfig(({ command, mode, isPreview }) => {
  const { API_URL } = loadEnv(mode, process.cwd(), ['API_']);
  const isServer = command === 'serve' || isPreview;
  if (isServer && !URL.canParse(API_URL ?? '')) {
    console.error(
      'API_URL is missing: copy .env.example to .env, or set it to the address of the API, such as http://localhost:3001.',
    );
    process.exit(1);
  }
  const target = { target: API_URL, changeOrigin: true };
  const proxy = { '/api': target, '/demo': target, '/socket.io': { ...target, ws: true } };
  return { plugins: [react()], server: { proxy }, preview: { proxy } };
});
