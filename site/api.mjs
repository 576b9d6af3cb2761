/**
 * Writes the API reference of the packages as Markdown: `node api.mjs <folder>`. The pages follow from the exported types and
 * their comments.
 */
import { Application, Converter } from 'typedoc';

/** Entry files by the name that an application imports. */
const ENTRIES = {
  '@appointment-emissions/bot': '../packages/bot/src/index.ts',
  '@appointment-emissions/dashboard': '../packages/dashboard/src/index.ts',
  '@appointment-emissions/dashboard/react': '../packages/dashboard/src/adapters/react.ts',
  '@appointment-emissions/dashboard/rtk-query': '../packages/dashboard/src/adapters/rtk-query.ts',
  '@appointment-emissions/contracts': '../packages/contracts/src/index.ts',
  'appointment-emission-pipeline': '../src/embedded/index.ts',
};

const [out = ''] = process.argv.slice(2);
const names = Object.keys(ENTRIES);
const application = await Application.bootstrapWithPlugins({
  entryPoints: Object.values(ENTRIES),
  tsconfig: '../tsconfig.json',
  plugin: ['typedoc-plugin-markdown'],
  out,
  // Tests and examples are programs of the same tsconfig; their types are checked elsewhere.
  skipErrorChecking: true,
  excludeExternals: true,
  excludeInternal: true,
  disableSources: true,
  readme: 'none',
  name: 'Packages',
  validation: { invalidLink: true, notExported: false },
  treatValidationWarningsAsErrors: true,
  // Of typedoc-plugin-markdown.
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  hideGroupHeadings: false,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  useCodeBlocks: true,
});
application.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
  // TypeDoc names a module by its file.
  for (const [index, module] of (context.project.children ?? []).entries())
    module.name = names[index] ?? module.name;
  // A link of the form import('./file.ts').Name works in editors, but not in TypeDoc.
  for (const { comment } of Object.values(context.project.reflections)) {
    for (const part of comment?.summary ?? []) {
      if (part.kind === 'inline-tag') part.text = part.text.replace(/^import\('[^']+'\)\./, '');
    }
  }
});
const project = await application.convert();
if (project === undefined) process.exit(1);
application.validate(project);
await application.generateOutputs(project);
process.exit(application.logger.hasErrors() || application.logger.hasWarnings() ? 1 : 0);
