import { lazy, Suspense } from 'react';
import type { JsonEditorProps } from './JsonEditor.tsx';
import classes from './LazyTextEditor.module.css';

const JsonEditor = lazy(() => import('./JsonEditor.tsx'));

/** The editor of recipes, with a plain field in its place until Monaco has arrived. */
export function LazyJsonEditor(props: JsonEditorProps) {
  const { value, onChange, label } = props;
  return (
    <Suspense
      fallback={
        <textarea
          className={classes.field}
          aria-label={label}
          value={value}
          spellCheck={false}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      }
    >
      <JsonEditor {...props} />
    </Suspense>
  );
}
