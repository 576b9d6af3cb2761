import ts from 'typescript';
import { filesBelow, readPage } from './pages.ts';

export interface Field {
  /** With a `?` if it is optional. */
  field: string;
  type: string;
}

const declarations = filesBelow('packages/contracts/src', '.ts').flatMap((file) =>
  parseTypes(file, readPage(file)),
);

/** The top-level statements of a TypeScript source. */
export function parseTypes(fileName: string, source: string): readonly ts.Statement[] {
  return ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS).statements;
}

/** Fields of an interface in packages/contracts/src, without inherited ones. A type parameter is replaced by its default. */
export function fieldsOf(name: string): Field[] {
  return fieldsIn(declarations, name);
}

/** Fields of an interface among these statements. @throws if there is none of this name */
export function fieldsIn(statements: readonly ts.Statement[], name: string): Field[] {
  const found = statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name);
  if (!found || !ts.isInterfaceDeclaration(found)) throw new Error(`there is no interface ${name}`);
  const defaults = new Map(found.typeParameters?.map((type) => [type.name.text, type.default?.getText()]));
  return found.members.filter(ts.isPropertySignature).map((member) => ({
    field: member.name.getText().replaceAll("'", '') + (member.questionToken ? '?' : ''),
    type: defaults.get(member.type?.getText() ?? '') ?? member.type?.getText() ?? '',
  }));
}

/** Members of a union of strings in packages/contracts/src. */
export function wordsOf(name: string): string[] {
  const found = declarations.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === name);
  if (!found || !ts.isTypeAliasDeclaration(found) || !ts.isUnionTypeNode(found.type))
    throw new Error(`packages/contracts/src has no union ${name}`);
  return found.type.types.map((type) => type.getText().replaceAll("'", ''));
}
