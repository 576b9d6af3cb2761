/** Prefix of the server’s paths in the browser, such as `/calendar`: the API's BASE_PATH. */
export const BASE_PATH = document.querySelector<HTMLMetaElement>('meta[name="base-path"]')?.content ?? '';
