import classes from './RemovablePill.module.css';

interface RemovablePillProps {
  value: string;
  onRemove: (() => void) | undefined;
}

/** One of several values in a field; a click takes it out. */
export function RemovablePill({ value, onRemove }: RemovablePillProps) {
  return (
    <button
      type="button"
      className={classes.pill}
      aria-label={`Remove ${value}`}
      title="Remove"
      onClick={onRemove}
    >
      {value} ×
    </button>
  );
}
