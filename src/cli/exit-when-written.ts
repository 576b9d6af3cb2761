/**
 * Ends the process with this code when its output is written. A command must not wait for its event loop to become empty: the
 * module of the model may keep a timer or a connection open.
 */
export async function exitWhenWritten(code: number): Promise<never> {
  const written = [process.stdout, process.stderr].map(
    (stream) =>
      new Promise<void>((resolve) => {
        stream.write('', () => {
          resolve();
        });
      }),
  );
  await Promise.all(written);
  process.exit(code);
}
