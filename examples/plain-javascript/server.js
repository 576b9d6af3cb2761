/**
 * The page's own server. It serves three files, and gives the page a token: in an application the route does so for the user who is
 * signed in.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const { PORT = '4010', API_URL = '', TOKEN_URL = '' } = process.env;

for (const [name, value, meaning] of [
  ['API_URL', API_URL, 'the address of the API, such as http://localhost:3001'],
  ['TOKEN_URL', TOKEN_URL, 'a route that replies with a token, such as http://localhost:3001/demo/token'],
]) {
  if (URL.canParse(value)) continue;
  console.error(`${name} is missing or not an address: set it to ${meaning}.`);
  process.exitCode = 1;
}
if (process.exitCode) process.exit();

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** The library with its dependencies, in one file: a page without a bundler needs nothing else. */
const library = fileURLToPath(import.meta.resolve('@appointment-emissions/dashboard/browser.js'));
const FILES = {
  '/': [here('index.html'), 'text/html; charset=utf-8'],
  '/page.js': [here('page.js'), 'text/javascript; charset=utf-8'],
  '/realtime.js': [library, 'text/javascript; charset=utf-8'],
};

async function reply(request) {
  if (request.method === 'POST' && request.url === '/token') {
    const { status, body } = await requestToken();
    return { status, type: 'application/json', body };
  }
  if (request.url === '/settings.json') {
    return { status: 200, type: 'application/json', body: JSON.stringify({ url: API_URL }) };
  }
  const [file, type] = FILES[request.url] ?? [];
  if (!file) return { status: 404, type: 'text/plain', body: 'not found' };
  return { status: 200, type, body: await readFile(file) };
}

async function requestToken() {
  try {
    const answer = await fetch(TOKEN_URL, { method: 'POST' });
    if (answer.ok) return { status: 200, body: await answer.text() };
    console.error(`no token: POST ${TOKEN_URL} replied with status ${answer.status}`);
  } catch (error) {
    console.error(`no token: POST ${TOKEN_URL} failed: ${error.cause?.message ?? error.message}`);
  }
  return { status: 502, body: '{}' };
}

const server = createServer((request, response) => {
  reply(request).then(
    ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
    (error) => {
      console.error(error);
      response.writeHead(500).end();
    },
  );
});
server.listen(Number(PORT), () => console.log(`listening on http://localhost:${server.address().port}`));
