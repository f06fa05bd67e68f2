import 'monaco-editor/features/bracketMatching/register';
import 'monaco-editor/features/folding/register';
import 'monaco-editor/features/format/register';
import 'monaco-editor/features/gotoError/register';
import 'monaco-editor/features/hover/register';
import 'monaco-editor/features/suggest/register';
import { editor, Uri } from 'monaco-editor/editor';
import { jsonDefaults } from 'monaco-editor/languages/features/json/register';
import { recipeJsonSchema } from '../../preload/contract/index.ts';
import type { Scheme } from '../ui/theme.ts';
import { editorOptions } from './monaco.ts';

const address = 'lathe://recipes/recipe.json';

jsonDefaults.setDiagnosticsOptions({
  validate: true,
  allowComments: false,
  enableSchemaRequest: false,
  schemas: [
    { uri: 'lathe://schemas/recipe.json', fileMatch: [address], schema: recipeJsonSchema() },
  ],
});

/** Makes an editor that knows what a recipe may say: completion, hover texts, errors in place. */
export function createRecipeEditor(
  element: HTMLElement,
  { value, label, scheme }: { value: string; label: string; scheme: Scheme },
): editor.IStandaloneCodeEditor {
  const uri = Uri.parse(address);
  // The model of an editor that went without being disposed of would keep the address.
  editor.getModel(uri)?.dispose();
  return editor.create(element, {
    ...editorOptions,
    model: editor.createModel(value, 'json', uri),
    ariaLabel: label,
    theme: `lathe-${scheme}`,
    lineNumbers: 'on',
    lineNumbersMinChars: 3,
    lineDecorationsWidth: 12,
    folding: true,
    bracketPairColorization: { enabled: false },
    showFoldingControls: 'mouseover',
    quickSuggestions: { strings: true, other: true, comments: false },
    tabSize: 2,
    fontSize: 12,
  });
}
