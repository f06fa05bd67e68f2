import { lazy, Suspense, useState } from 'react';
import classes from './LazyTextEditor.module.css';
import type { TextEditorProps } from './TextEditor.tsx';

const TextEditor = lazy(() => import('./TextEditor.tsx'));

/**
 * The text editor, with a plain field in its place until Monaco has arrived: typing works from the
 * first picture on, and the keyboard stays where it was when the editor takes over.
 */
export function LazyTextEditor(props: Omit<TextEditorProps, 'focused'>) {
  const [focused, setFocused] = useState(false);
  const { value, onChange, label, placeholder } = props;
  return (
    <Suspense
      fallback={
        <textarea
          className={classes.field}
          aria-label={label}
          placeholder={placeholder}
          value={value}
          spellCheck={false}
          onChange={(event) => onChange(event.currentTarget.value)}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
        />
      }
    >
      <TextEditor {...props} focused={focused} />
    </Suspense>
  );
}
