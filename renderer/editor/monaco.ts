import 'monaco-editor/features/clipboard/register';
import 'monaco-editor/features/codicon/register';
import 'monaco-editor/features/contextmenu/register';
import 'monaco-editor/features/cursorUndo/register';
import 'monaco-editor/features/find/register';
import 'monaco-editor/features/linesOperations/register';
import 'monaco-editor/features/longLinesHelper/register';
import 'monaco-editor/features/multicursor/register';
import 'monaco-editor/features/placeholderText/register';
import 'monaco-editor/features/unicodeHighlighter/register';
import 'monaco-editor/features/wordOperations/register';
import { editor } from 'monaco-editor/editor';
// What `?worker` exports is made by the bundler.
// oxlint-disable-next-line import/default
import EditorWorker from 'monaco-editor/editor/editor.worker?worker';
// oxlint-disable-next-line import/default
import JsonWorker from 'monaco-editor/languages/features/json/json.worker?worker';
import { palette, type Scheme } from '../ui/theme.ts';

// The hook through which Monaco asks for its workers: one for any text, one that knows JSON.
Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) =>
      label === 'json' ? new JsonWorker() : new EditorWorker(),
  },
});

const schemes: readonly Scheme[] = ['light', 'dark'];

for (const scheme of schemes) {
  const colors = palette[scheme];
  editor.defineTheme(`lathe-${scheme}`, {
    base: scheme === 'light' ? 'vs' : 'vs-dark',
    inherit: true,
    rules: [
      { token: 'string.key.json', foreground: colors.accent.slice(1) },
      { token: 'string.value.json', foreground: colors.text.slice(1) },
      { token: 'number.json', foreground: colors.warn.slice(1) },
      { token: 'keyword.json', foreground: colors.warn.slice(1) },
      { token: 'delimiter', foreground: colors.dim.slice(1) },
    ],
    colors: {
      'editor.background': colors.surface,
      'editor.foreground': colors.text,
      'editorCursor.foreground': colors.accent,
      'editor.selectionBackground': `${colors.accent}40`,
      'editorLineNumber.foreground': colors.dim,
      'editorLineNumber.activeForeground': colors.text,
      'editorPlaceholder.foreground': colors.dim,
      'editorWidget.background': colors.raised,
      'editorWidget.border': colors.line,
      'input.background': colors.surface,
      'input.border': colors.line,
      focusBorder: colors.accent,
      'scrollbar.shadow': '#00000000',
      'scrollbarSlider.background': `${colors.lineStrong}80`,
      'menu.background': colors.raised,
      'menu.foreground': colors.text,
      'menu.border': colors.line,
      'menu.selectionBackground': colors.accentSoft,
      'menu.selectionForeground': colors.text,
    },
  });
}

/** What all editors of the studio have in common. */
export const editorOptions = {
  automaticLayout: true,
  fontFamily: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSize: 13,
  lineHeight: 20,
  wordWrap: 'on',
  padding: { top: 12, bottom: 12 },
  glyphMargin: false,
  minimap: { enabled: false },
  overviewRulerLanes: 0,
  hideCursorInOverviewRuler: true,
  overviewRulerBorder: false,
  renderLineHighlight: 'none',
  occurrencesHighlight: 'off',
  selectionHighlight: false,
  guides: { indentation: false },
  wordBasedSuggestions: 'off',
  scrollBeyondLastLine: false,
  renderControlCharacters: true,
  // Bidirectional and zero-width characters change what a model reads without being seen.
  unicodeHighlight: { ambiguousCharacters: false, invisibleCharacters: true },
  scrollbar: { verticalScrollbarSize: 8, horizontalScrollbarSize: 8, useShadows: false },
  // Tab leaves the editor as it leaves any other field.
  tabFocusMode: true,
  fixedOverflowWidgets: true,
} as const satisfies editor.IStandaloneEditorConstructionOptions;

/** Makes a plain-text editor with the studio's look in an element. */
export const createTextEditor = (
  element: HTMLElement,
  options: { value: string; label: string; placeholder: string; scheme: Scheme },
): editor.IStandaloneCodeEditor =>
  editor.create(element, {
    ...editorOptions,
    value: options.value,
    ariaLabel: options.label,
    placeholder: options.placeholder,
    theme: `lathe-${options.scheme}`,
    language: 'plaintext',
    lineNumbers: 'off',
    lineDecorationsWidth: 16,
    lineNumbersMinChars: 0,
    folding: false,
    quickSuggestions: false,
  });

/** Changes the look of all editors. */
export const setScheme = (scheme: Scheme): void => editor.setTheme(`lathe-${scheme}`);
