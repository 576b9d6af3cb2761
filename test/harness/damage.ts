import { API_KEY } from './world.ts';

/** The values of an API's metric `emission_invalid_data_total`, by kind. */
export async function damageCounts(api: { url: string }): Promise<Record<string, number>> {
  const response = await fetch(`${api.url}/metrics`, { headers: { 'x-api-key': API_KEY } });
  const lines = (await response.text()).matchAll(/^emission_invalid_data_total\{kind="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, kind, count]) => [kind ?? '', Number(count)]));
}
