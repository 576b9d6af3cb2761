import { appRoutes } from '@bull-board/api/dist/routes.js';
import { expect, test } from '@jest/globals';
import { BOARD_WRITES, findBoardWrite } from '../../src/http/routes/board-writes.ts';

test('the table of audited changes has the routes of the installed Bull Board, in its order', () => {
  const writes = appRoutes.api
    .flatMap(({ method, route }) => [method].flat().map((one) => [one.toUpperCase(), String(route)]))
    .filter(([method]) => method !== 'GET')
    .map((route) => route.join(' '));
  expect(Object.keys(BOARD_WRITES)).toEqual(writes);
});

test.each([
  ['PUT', '/API/Queues/live/Pause/', { action: 'PUT pause', filter: { queue: 'live' } }],
  ['PUT', '/api/queues/l%69ve/clean/wait', { action: 'PUT clean/wait', filter: { queue: 'live' } }],
  ['PUT', '/api/queues/live/retry/retry', { action: 'PUT retry/retry', filter: { queue: 'live' } }],
  [
    'PUT',
    '/api/queues/live/rate-limit/release',
    { action: 'PUT rate-limit/release', filter: { queue: 'live' } },
  ],
  ['PUT', '/api/queues/live/7/promote', { action: 'PUT promote', filter: { queue: 'live', job: '7' } }],
  ['PUT', '/api/queues/%E0%A4%A/pause', { action: 'PUT pause', filter: { queue: 'not valid' } }],
  [
    'PATCH',
    '/api/queues/live/job-schedulers/nightly',
    { action: 'PATCH job-schedulers/nightly', filter: { queue: 'live' } },
  ],
  ['POST', '/api/queues/live/pause', undefined],
  ['PUT', '/api/queues//pause/pause/pause', undefined],
])('%s %s is logged as the route that Bull Board calls for it', (method, path, expected) => {
  const write = findBoardWrite({ method, path });
  expect(write && { action: write.action, filter: write.filter }).toEqual(expected);
});
