/** Writes the pages of the interfaces, and the documents that they follow from: `write-interfaces.ts <folder of the pages>`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createAsyncApi } from '../../src/http/docs/asyncapi.ts';
import { createOpenApi } from '../../src/http/docs/openapi.ts';
import { DEFAULT_MODEL } from '../../src/model/default-model.ts';
import { type HttpDocument, type SocketDocument, renderHttp, renderSockets } from './interfaces.ts';

const [pages = ''] = process.argv.slice(2);
const http = createOpenApi(DEFAULT_MODEL);
const sockets = createAsyncApi(DEFAULT_MODEL);
const files = {
  'public/openapi.json': JSON.stringify(http, null, 2),
  'public/asyncapi.json': JSON.stringify(sockets, null, 2),
  'interfaces/http.md': renderHttp(http as unknown as HttpDocument),
  'interfaces/sockets.md': renderSockets(sockets as unknown as SocketDocument),
};
for (const [path, content] of Object.entries(files)) {
  mkdirSync(dirname(join(pages, path)), { recursive: true });
  writeFileSync(join(pages, path), content);
}
