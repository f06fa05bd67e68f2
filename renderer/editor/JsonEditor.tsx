import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Scheme } from '../ui/theme.ts';
import { setScheme } from './monaco.ts';
import { createRecipeEditor } from './recipeMonaco.ts';

export interface JsonEditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  scheme: Scheme;
}

/** A Monaco editor for recipes that follows `value`. Loaded lazily: see `LazyJsonEditor`. */
export default function JsonEditor(props: JsonEditorProps) {
  const { value, label, scheme } = props;
  const element = useRef<HTMLDivElement>(null);
  const editor = useRef<ReturnType<typeof createRecipeEditor>>(null);
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });

  useLayoutEffect(() => {
    if (!element.current) return undefined;
    const { value: first, scheme: firstScheme } = latest.current;
    const created = createRecipeEditor(element.current, {
      value: first,
      label,
      scheme: firstScheme,
    });
    editor.current = created;
    created.onDidChangeModelContent(() => {
      const text = created.getValue();
      if (text !== latest.current.value) latest.current.onChange(text);
    });
    return () => {
      created.getModel()?.dispose();
      created.dispose();
    };
  }, [label]);

  useEffect(() => {
    const model = editor.current?.getModel();
    if (!model || model.getValue() === value) return;
    // As an edit, so that Undo goes back behind it.
    model.pushEditOperations([], [{ range: model.getFullModelRange(), text: value }], () => null);
  }, [value]);
  useEffect(() => setScheme(scheme), [scheme]);

  return <div ref={element} style={{ height: '100%' }} />;
}
