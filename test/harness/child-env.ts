/** Variables that a child process inherits: where programs are, and where it may write. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];

/**
 * The environment of a child process: `own` and the variables above. It inherits neither settings that a developer has
 * exported, nor `FORCE_COLOR`, which jest sets for its workers in a terminal and which would colour a child's output.
 * @example spawn(process.execPath, args, { env: childEnv({ PORT: '0' }) })
 */
export function childEnv(own: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  const inherited = INHERITED.map((name) => [name, process.env[name]] as const);
  const given = [...inherited, ...Object.entries(own)].filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
