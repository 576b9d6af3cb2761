/** True if a command failed because its key has another type: another program wrote the key. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE');
}
