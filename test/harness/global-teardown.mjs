/** Ends what global-setup.mjs has started, in the same process. */
export default async function globalTeardown() {
  await globalThis.stopSharedServices?.();
}
