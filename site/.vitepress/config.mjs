import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';

const PAGES = fileURLToPath(new URL('../dist/pages', import.meta.url));

/** The anchors that GitHub derives from headings, since the pages are read there too. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const titleOf = (path) => {
  const [, title = path] = /^# (.+)$/m.exec(readFileSync(join(PAGES, `${path}.md`), 'utf8')) ?? [];
  return title.replaceAll(/[`*]/g, '');
};
const link = (path) => ({ text: titleOf(path), link: `/${path.replace(/(^|\/)index$/, '$1')}` });
/** The pages of a folder by name; `first` are at the beginning, in this order. */
const folder = (name, first = []) => {
  const found = readdirSync(join(PAGES, name))
    .filter((file) => file.endsWith('.md') && file !== 'index.md')
    .map((file) => file.slice(0, -3));
  const rest = found.filter((page) => !first.includes(page)).sort();
  return [...first, ...rest].map((page) => link(`${name}/${page}`));
};

const PACKAGES = readdirSync(join(PAGES, 'api'), { recursive: true })
  .filter((file) => file.endsWith('.md') && file !== 'index.md')
  .map((file) => file.slice(0, -3).replaceAll('\\', '/'))
  .sort();
const GUIDES = ['bot', 'python', 'dashboard', 'existing-backend', 'model', 'capture', 'production', 'redis'];

export default defineConfig({
  lang: 'en',
  title: 'Appointment emissions',
  description: 'Appointment events from a chatbot to every dashboard of the company',
  srcDir: 'dist/pages',
  outDir: '../dist/site',
  cacheDir: 'dist/cache',
  cleanUrls: true,
  // An example says where its page is served.
  ignoreDeadLinks: 'localhostLinks',
  head: [['meta', { name: 'theme-color', content: '#0f766e' }]],
  markdown: { anchor: { slugify }, toc: { slugify }, headers: { slugify } },
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  // Tables of four columns need the width.
  transformPageData: ({ relativePath }) =>
    relativePath.startsWith('reference/') ? { frontmatter: { aside: false } } : undefined,
  themeConfig: {
    search: { provider: 'local', options: { detailedView: true } },
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/guides/bot', activeMatch: '^/guides/' },
      { text: 'Reference', link: '/reference/guarantees', activeMatch: '^/reference/' },
      { text: 'API', link: '/api/', activeMatch: '^/(api|interfaces)/' },
      { text: 'Operations', link: '/operations' },
    ],
    sidebar: [
      { text: 'Guides', items: folder('guides', GUIDES) },
      { text: 'Operation', items: [link('operations'), link('architecture'), link('glossary')] },
      { text: 'Interfaces', items: folder('interfaces') },
      { text: 'Packages', items: PACKAGES.map((name) => link(`api/${name}`)) },
      { text: 'Reference', collapsed: true, items: folder('reference', ['guarantees', 'configuration']) },
      { text: 'Examples', collapsed: true, items: folder('examples') },
      { text: 'Decisions', collapsed: true, items: folder('decisions') },
      { text: 'Reports of runs', collapsed: true, items: folder('reports') },
    ],
  },
});
