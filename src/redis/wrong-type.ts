/** True for Redis' refusal to run a command on a key of another type: another program wrote the key. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE');
}
