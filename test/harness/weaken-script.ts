import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Files that precede each script of `src/emission/scripts/`. */
const INCLUDED = ['redis/current-history', 'emission/scripts/position'];

/**
 * A script of `src/emission/scripts/` without one of its safeguards.
 * @returns the digest by which the code calls the script, and the source to run instead
 * @throws if the script does not contain `from` exactly once
 */
export function weakenScript(name: string, from: string, to: string): { digest: string; source: string } {
  const files = [...INCLUDED, `emission/scripts/${name}`];
  const source = files
    .map((file) => readFileSync(new URL(`../../src/${file}.lua`, import.meta.url), 'utf8'))
    .join('');
  if (source.split(from).length !== 2) throw new Error(`${name}.lua does not contain "${from}" exactly once`);
  return { digest: createHash('sha1').update(source).digest('hex'), source: source.replace(from, to) };
}
