/** The part of fengari, a Lua machine in JavaScript, that `lua-machine.ts` uses. Lua strings are bytes. */
declare module 'fengari' {
  type State = object;
  type LuaFunction = (state: State) => number;

  export const lua: {
    LUA_OK: number;
    LUA_REGISTRYINDEX: number;
    LUA_TBOOLEAN: number;
    LUA_TNIL: number;
    LUA_TNUMBER: number;
    LUA_TSTRING: number;
    LUA_TTABLE: number;
    lua_error: (state: State) => number;
    lua_gettop: (state: State) => number;
    lua_newtable: (state: State) => void;
    lua_pcall: (state: State, args: number, results: number, handler: number) => number;
    lua_pop: (state: State, count: number) => void;
    lua_pushboolean: (state: State, value: boolean) => void;
    lua_pushcfunction: (state: State, value: LuaFunction) => void;
    lua_pushinteger: (state: State, value: number) => void;
    lua_pushnumber: (state: State, value: number) => void;
    lua_pushstring: (state: State, value: Uint8Array) => void;
    lua_rawgeti: (state: State, index: number, key: number) => number;
    lua_getfield: (state: State, index: number, key: Uint8Array) => number;
    lua_rawseti: (state: State, index: number, key: number) => void;
    lua_setfield: (state: State, index: number, key: Uint8Array) => void;
    lua_setglobal: (state: State, name: Uint8Array) => void;
    lua_settop: (state: State, index: number) => void;
    lua_toboolean: (state: State, index: number) => boolean;
    lua_tonumber: (state: State, index: number) => number;
    lua_tostring: (state: State, index: number) => Uint8Array | null;
    lua_type: (state: State, index: number) => number;
  };
  export const lauxlib: {
    luaL_loadbuffer: (state: State, code: Uint8Array, size: number, name: Uint8Array) => number;
    luaL_newstate: () => State;
    luaL_ref: (state: State, table: number) => number;
  };
  export const lualib: { luaL_openlibs: (state: State) => void };
}
