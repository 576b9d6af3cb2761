import { CURRENT_HISTORY, luaScript, type RunScript } from '../redis/script.ts';

/** The script `scripts/<name>.lua`, preceded by position.lua and what that needs. */
export const scriptWithPosition = (name: string): RunScript =>
  luaScript(CURRENT_HISTORY, scriptFile('position'), scriptFile(name));

function scriptFile(name: string): URL {
  return new URL(`./scripts/${name}.lua`, import.meta.url);
}
