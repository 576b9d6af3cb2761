import ts from 'typescript';
import { filesBelow, readPage } from './pages.ts';

export interface Field {
  /** With a `?` if it is optional. */
  field: string;
  type: string;
}

const declarations = filesBelow('packages/contracts/src', '.ts').flatMap((file) => [
  ...ts.createSourceFile(file, readPage(file), ts.ScriptTarget.Latest, true).statements,
]);

/** Fields of an interface in packages/contracts/src, without inherited ones. A type parameter is replaced by its default. */
export function fieldsOf(name: string): Field[] {
  const found = declarations.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name);
  if (!found || !ts.isInterfaceDeclaration(found))
    throw new Error(`packages/contracts/src has no interface ${name}`);
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
