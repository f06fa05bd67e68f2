import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Scheme } from '../ui/theme.ts';
import { createTextEditor, setScheme } from './monaco.ts';

export interface TextEditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  placeholder: string;
  scheme: Scheme;
  /** Takes the keyboard when it appears, if the field it stands in for had it. */
  focused: boolean;
}

/** A Monaco editor for plain text that follows `value`. Loaded lazily: see `LazyTextEditor`. */
export default function TextEditor(props: TextEditorProps) {
  const { value, label, placeholder, scheme } = props;
  const element = useRef<HTMLDivElement>(null);
  const editor = useRef<ReturnType<typeof createTextEditor>>(null);
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });

  useLayoutEffect(() => {
    if (!element.current) return undefined;
    const { value: first, scheme: firstScheme, focused } = latest.current;
    const created = createTextEditor(element.current, {
      value: first,
      label,
      placeholder,
      scheme: firstScheme,
    });
    editor.current = created;
    created.onDidChangeModelContent(() => {
      const text = created.getValue();
      if (text !== latest.current.value) latest.current.onChange(text);
    });
    if (focused) created.focus();
    return () => {
      created.getModel()?.dispose();
      created.dispose();
    };
  }, [label, placeholder]);

  useEffect(() => {
    if (editor.current && editor.current.getValue() !== value) editor.current.setValue(value);
  }, [value]);
  useEffect(() => setScheme(scheme), [scheme]);

  return <div ref={element} style={{ height: '100%' }} />;
}
