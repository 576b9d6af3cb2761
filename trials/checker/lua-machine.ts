import { lauxlib, lua, lualib } from 'fengari';

/** A reply of Redis. Strings have one character per byte. */
export type RedisReply = string | number | null | RedisReply[] | RedisError;

/** An error reply, such as `WRONGTYPE …`. */
export interface RedisError {
  err: string;
}

export type RedisCommand = (...args: string[]) => RedisReply;

type State = ReturnType<typeof lauxlib.luaL_newstate>;

/** Runs a script of the given source as Redis does. @throws Error with the text of the error reply */
export type RunLua = (
  source: string,
  keys: readonly string[],
  args: readonly string[],
  command: RedisCommand,
) => RedisReply;

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const field = { err: bytes('err'), ok: bytes('ok') };

/**
 * A Lua machine with what Redis gives its scripts: `redis.call`, `redis.pcall`, `struct.pack`, `unpack`, KEYS and ARGV. It is Lua 5.3,
 * and Redis has 5.1; `stand-in.test.ts` compares the results of our scripts.
 */
export function createLuaMachine(): RunLua {
  const state = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(state);
  let command: RedisCommand = () => null;
  /** An error of the command itself, which Lua would replace. */
  let thrown: unknown;
  const runCommand = (s: State): RedisReply => {
    try {
      return command(...textArguments(s));
    } catch (error) {
      thrown = error;
      throw error;
    }
  };
  setTable(state, 'redis', {
    call: (s) => pushOrThrow(s, runCommand(s)),
    pcall: (s) => push(s, runCommand(s)),
  });
  setTable(state, 'struct', { pack: packUnsigned64 });
  const unpack = bytes('unpack = table.unpack');
  lauxlib.luaL_loadbuffer(state, unpack, unpack.length, unpack);
  lua.lua_pcall(state, 0, 0, 0);
  const compiled = new Map<string, number>();

  function load(source: string): number {
    const code = bytes(source);
    if (lauxlib.luaL_loadbuffer(state, code, code.length, bytes('script')) !== lua.LUA_OK)
      throw failure(state);
    const reference = lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX);
    compiled.set(source, reference);
    return reference;
  }

  return (source, keys, args, run) => {
    const reference = compiled.get(source) ?? load(source);
    command = run;
    thrown = undefined;
    push(state, [...keys]);
    lua.lua_setglobal(state, bytes('KEYS'));
    push(state, [...args]);
    lua.lua_setglobal(state, bytes('ARGV'));
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, reference);
    const isDone = lua.lua_pcall(state, 0, 1, 0) === lua.LUA_OK;
    if (thrown) throw thrown as Error;
    if (!isDone) throw failure(state);
    const reply = toReply(state, lua.lua_gettop(state));
    lua.lua_settop(state, 0);
    return reply;
  };
}

function setTable(
  state: State,
  name: string,
  functions: Record<string, Parameters<typeof lua.lua_pushcfunction>[1]>,
): void {
  lua.lua_newtable(state);
  for (const [key, value] of Object.entries(functions)) {
    lua.lua_pushcfunction(state, value);
    lua.lua_setfield(state, -2, bytes(key));
  }
  lua.lua_setglobal(state, bytes(name));
}

/** The error on top of the stack: a text of Lua, or the table of an error reply. */
function failure(state: State): Error {
  const reply = toReply(state, lua.lua_gettop(state));
  lua.lua_settop(state, 0);
  return new Error(isError(reply) ? reply.err : JSON.stringify(reply));
}

/** The arguments of a Lua function as Redis reads them. */
function textArguments(state: State): string[] {
  return Array.from({ length: lua.lua_gettop(state) }, (_, index) => textAt(state, index + 1));
}

function textAt(state: State, index: number): string {
  if (lua.lua_type(state, index) === lua.LUA_TNUMBER) return String(lua.lua_tonumber(state, index));
  const text = lua.lua_tostring(state, index);
  if (text === null) throw new Error('arguments of Redis commands must be strings or numbers');
  return Buffer.from(text).toString('latin1');
}

/** Pushes a reply as Redis converts it: null becomes false. @returns the number of results, as Lua expects it */
function push(state: State, reply: RedisReply): number {
  if (reply === null) lua.lua_pushboolean(state, false);
  else if (typeof reply === 'number') lua.lua_pushinteger(state, reply);
  else if (typeof reply === 'string') lua.lua_pushstring(state, bytes(reply));
  else {
    lua.lua_newtable(state);
    if (isError(reply)) {
      push(state, reply.err);
      lua.lua_setfield(state, -2, field.err);
    } else {
      reply.forEach((item, index) => {
        push(state, item);
        lua.lua_rawseti(state, -2, index + 1);
      });
    }
  }
  return 1;
}

function pushOrThrow(state: State, reply: RedisReply): number {
  push(state, reply);
  return isError(reply) ? lua.lua_error(state) : 1;
}

/** A Lua value as Redis converts it to a reply: a table up to its first nil, a number without its fraction. */
function toReply(state: State, index: number): RedisReply {
  switch (lua.lua_type(state, index)) {
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(state, index) ? 1 : null;
    case lua.LUA_TNUMBER:
      return Math.trunc(lua.lua_tonumber(state, index));
    case lua.LUA_TSTRING:
      return textAt(state, index);
    case lua.LUA_TTABLE:
      return toArray(state, index);
    default:
      return null;
  }
}

function toArray(state: State, index: number): RedisReply {
  lua.lua_getfield(state, index, field.err);
  const err = toReply(state, lua.lua_gettop(state));
  lua.lua_pop(state, 1);
  if (typeof err === 'string') return { err };
  const items: RedisReply[] = [];
  for (let at = 1; lua.lua_rawgeti(state, index, at) !== lua.LUA_TNIL; at += 1) {
    items.push(toReply(state, lua.lua_gettop(state)));
    lua.lua_pop(state, 1);
  }
  lua.lua_pop(state, 1);
  return items;
}

export function isError(reply: RedisReply): reply is RedisError {
  return typeof reply === 'object' && reply !== null && 'err' in reply;
}

/** `struct.pack('>I8', number)`: the only format that our scripts use. */
function packUnsigned64(state: State): number {
  if (textAt(state, 1) !== '>I8') throw new Error('struct.pack knows only >I8');
  const packed = Buffer.alloc(8);
  packed.writeBigUInt64BE(BigInt(lua.lua_tonumber(state, 2)));
  lua.lua_pushstring(state, packed);
  return 1;
}
