import { tsImport } from 'tsx/esm/api';

/** Jest loads this file without a transform: it must be JavaScript, and loads the TypeScript by itself. */
export default async function globalSetup() {
  const { startSharedServices } = await tsImport('./shared-services.ts', import.meta.url);
  globalThis.stopSharedServices = await startSharedServices();
}
