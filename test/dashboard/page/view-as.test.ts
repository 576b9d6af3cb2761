import { expect, test } from '@jest/globals';
import { until } from '../../harness/until.ts';
import { booked, usePages } from './page-world.ts';

const pages = usePages({ listed: [booked('a', 'Biscuit', '09:00-10:00', 'jonas')] });

/** Opens the page of a demo with a groomer. The token that the demo signs names the view. */
async function openDemo(search: string) {
  const { page, card, server, tokens } = await pages.open({ search });
  await until('the first connection', server.connection());
  await page.route('**/demo/token*', async (route) => {
    const as = new URL(route.request().url()).searchParams.get('as');
    const json = {
      companyName: 'Demo Grooming',
      timeZone: 'UTC',
      staff: [{ id: 'j', fullName: 'Jonas Okafor' }],
    };
    if (as === null || as === 'j') await route.fulfill({ json: { ...json, token: as ?? 'manager' } });
    else await route.fulfill({ status: 404, body: '' });
  });
  await page.reload();
  const choice = page.getByRole('combobox', { name: 'View as' });
  return {
    page,
    card,
    tokens,
    choice,
    tokenOfConnection: async () => (await server.connection()).auth.token,
  };
}

test('another view loads the page with the token of a groomer, and back with that of the manager', async () => {
  const { page, card, tokens, choice, tokenOfConnection } = await openDemo('?date=2026-11-23&tz=UTC');
  expect([await tokenOfConnection(), await choice.inputValue()]).toEqual(['manager', '']);
  await choice.selectOption('Jonas Okafor');
  expect(await tokenOfConnection()).toBe('j');
  await card('a').waitFor();
  expect([await choice.inputValue(), tokens.at(-1)]).toEqual(['j', 'Bearer j']);
  expect(new URL(page.url()).search).toBe('?date=2026-11-23&tz=UTC&as=j');
  await choice.selectOption('Manager');
  expect(await tokenOfConnection()).toBe('manager');
});

test('an unknown view in the address is that of the manager', async () => {
  const { choice, tokenOfConnection } = await openDemo('?as=nobody');
  expect([await tokenOfConnection(), await choice.inputValue()]).toEqual(['manager', '']);
});
