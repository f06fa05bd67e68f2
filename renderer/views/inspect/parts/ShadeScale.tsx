import classes from './parts.module.css';

interface ShadeScaleProps {
  /** What the colours measure, with its unit. */
  caption: string;
  /** Colours of the theme, the least first. */
  shades: readonly string[];
  from: string;
  to: string;
}

/** What the colours under a text mean. */
export function ShadeScale({ caption, shades, from, to }: ShadeScaleProps) {
  return (
    <span className={classes.scale}>
      {caption}
      <span>{from}</span>
      <span aria-hidden="true">
        {shades.map((shade) => (
          <i key={shade} style={{ background: `var(--lathe-${shade})` }} />
        ))}
      </span>
      <span>{to}</span>
    </span>
  );
}
