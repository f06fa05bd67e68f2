import {
  ActionIcon,
  Button,
  createTheme,
  defaultVariantColorsResolver,
  Input,
  Modal,
  MultiSelect,
  Popover,
  Radio,
  SegmentedControl,
  Select,
  Slider,
  Switch,
  TagsInput,
  Tooltip,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';
import { signedColors, type Poles } from '../charts/signed.ts';
import { probabilityColors, type Ground } from '../charts/probability.ts';

/** The one place of colour. Contrast of text on every surface is at least 4.5 (tested). */
export const palette = {
  light: {
    ground: '#f3f5f6',
    surface: '#ffffff',
    raised: '#ffffff',
    hover: '#e9edef',
    line: '#dbe0e3',
    lineStrong: '#b9c1c6',
    text: '#14191c',
    dim: '#56616a',
    accent: '#0b6a76',
    accentHover: '#085861',
    accentSoft: '#dceef0',
    onAccent: '#ffffff',
    bar: '#8aa0aa',
    track: '#edf0f2',
    thumb: '#ffffff',
    good: '#187443',
    warn: '#8f5b00',
    bad: '#b3261e',
    badSoft: '#fbeae9',
    warnSoft: '#fbf1dd',
    category1: '#0072b2',
    category2: '#e69f00',
    category3: '#8aa0aa',
    series1: '#0072b2',
    series2: '#d55e00',
    series3: '#009e73',
    series4: '#cc79a7',
    series5: '#e69f00',
    series6: '#56b4e9',
    series7: '#14191c',
    less: '#0072b2',
    more: '#d55e00',
  },
  dark: {
    ground: '#0e1113',
    surface: '#15191c',
    raised: '#1b2024',
    hover: '#22282c',
    line: '#282f34',
    lineStrong: '#434d54',
    text: '#e2e7ea',
    dim: '#98a4ac',
    accent: '#56bfca',
    accentHover: '#74ced7',
    accentSoft: '#14343a',
    onAccent: '#06181b',
    bar: '#6b7f89',
    track: '#22292e',
    thumb: '#3b464d',
    good: '#5cc48b',
    warn: '#e0b050',
    bad: '#f2877f',
    badSoft: '#3a1d1b',
    warnSoft: '#362a12',
    category1: '#56b4e9',
    category2: '#e69f00',
    category3: '#6b7f89',
    series1: '#56b4e9',
    series2: '#d55e00',
    series3: '#009e73',
    series4: '#cc79a7',
    series5: '#e69f00',
    series6: '#0072b2',
    series7: '#f0e442',
    less: '#56b4e9',
    more: '#e0752a',
  },
} as const;

export type Scheme = keyof typeof palette;

/** How the probability colours lie on each surface. */
export const grounds: Readonly<Record<Scheme, Ground>> = {
  light: { surface: palette.light.surface, lightness: [56, 84], strength: 0.5 },
  dark: { surface: palette.dark.surface, lightness: [58, 52], strength: 0.62 },
};

/** How signed values lie under text on each surface: below zero, above it. */
export const poles: Readonly<Record<Scheme, Poles>> = {
  light: { ...palette.light, strength: 0.5 },
  dark: { ...palette.dark, strength: 0.5 },
};

const accent: MantineColorsTuple = [
  '#eaf6f7',
  '#dceef0',
  '#b5dde1',
  '#88cad1',
  '#56bfca',
  '#2f9fab',
  '#167e8a',
  '#0b6a76',
  '#08545e',
  '#053d45',
];

const gray: MantineColorsTuple = [
  '#f8f9fa',
  '#f3f5f6',
  '#e9edef',
  '#dbe0e3',
  '#b9c1c6',
  '#8a959c',
  '#56616a',
  '#3f484f',
  '#2a3136',
  '#14191c',
];

const dark: MantineColorsTuple = [
  '#e2e7ea',
  '#c3cbd0',
  '#98a4ac',
  '#6b7780',
  '#343d43',
  '#282f34',
  '#1b2024',
  '#15191c',
  '#0e1113',
  '#090b0d',
];

/** Controls are 32 pixels high, 24 in tight places: both lie on the grid of 8. */
const heights = { xs: '24px', sm: '32px' };

/** The line below a choice that says what it means. */
const explanation = { fontSize: 11, lineHeight: '16px' };

/** Sizes and defaults of every Mantine component that the studio uses. */
export const theme = createTheme({
  colors: { accent, gray, dark },
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 4 },
  variantColorResolver: (input) => {
    const colors = defaultVariantColorsResolver(input);
    const isAccent = input.color === undefined || input.color === input.theme.primaryColor;
    if (!isAccent) return colors;
    // Mantine takes one text colour for both schemes; the accent needs one for each.
    if (input.variant === 'filled')
      return {
        ...colors,
        background: 'var(--lathe-accent)',
        hover: 'var(--lathe-accent-hover)',
        color: 'var(--lathe-on-accent)',
      };
    return input.variant === 'subtle' ? { ...colors, color: 'var(--lathe-accent)' } : colors;
  },
  white: '#ffffff',
  black: palette.light.text,
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'sm',
  respectReducedMotion: true,
  cursorType: 'pointer',
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '20px', lineHeight: '28px' },
      h2: { fontSize: '14px', lineHeight: '20px' },
      h3: { fontSize: '13px', lineHeight: '20px' },
    },
  },
  components: {
    Button: Button.extend({
      defaultProps: { size: 'sm', fw: 500 },
      vars: (_theme, { size }) => ({
        root: {
          '--button-height': size === 'xs' ? heights.xs : heights.sm,
          '--button-padding-x': size === 'xs' ? '8px' : '12px',
          '--button-fz': size === 'xs' ? '12px' : '13px',
        },
      }),
    }),
    ActionIcon: ActionIcon.extend({
      defaultProps: { variant: 'subtle', color: 'gray', size: 'sm' },
      styles: { root: { '--mantine-color-disabled': 'transparent' } },
      vars: (_theme, { size }) => ({
        root: { '--ai-size': size === 'md' ? heights.sm : heights.xs },
      }),
    }),
    Input: Input.extend({
      defaultProps: { size: 'sm' },
      styles: { input: { textOverflow: 'ellipsis' } },
      vars: (_theme, { size }) => ({
        wrapper: {
          '--input-height': size === 'xs' ? heights.xs : heights.sm,
          '--input-fz': '13px',
        },
      }),
    }),
    Select: Select.extend({
      defaultProps: { size: 'sm', allowDeselect: false, comboboxProps: { shadow: 'md' } },
    }),
    SegmentedControl: SegmentedControl.extend({
      defaultProps: { size: 'xs' },
      styles: {
        root: { padding: 2, background: 'var(--lathe-track)' },
        indicator: { background: 'var(--lathe-thumb)' },
        label: { fontWeight: 500, lineHeight: '20px', paddingBlock: 0, paddingInline: 8 },
      },
    }),
    Slider: Slider.extend({ defaultProps: { size: 2, thumbSize: 12, label: null } }),
    Radio: Radio.extend({ styles: { description: explanation } }),
    Switch: Switch.extend({ defaultProps: { size: 'xs' }, styles: { description: explanation } }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        openDelay: 400,
        multiline: true,
        maw: 288,
        events: { hover: true, focus: true, touch: false },
      },
    }),
    // What is typed starts behind the last of the chosen, not on a line of its own.
    MultiSelect: MultiSelect.extend({ styles: { inputField: { minWidth: 32 } } }),
    TagsInput: TagsInput.extend({ styles: { inputField: { minWidth: 32 } } }),
    Popover: Popover.extend({
      // Motion only where it explains: what was asked for is simply there.
      defaultProps: { shadow: 'md', transitionProps: { duration: 0 } },
    }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        transitionProps: { duration: 0 },
        overlayProps: { backgroundOpacity: 0.4 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: {
        content: { background: 'var(--lathe-raised)' },
        header: { background: 'var(--lathe-raised)', minHeight: 48, paddingBlock: 8 },
        title: { fontSize: 14, fontWeight: 600, lineHeight: '20px', overflowWrap: 'anywhere' },
      },
    }),
  },
});

const schemeVariables = (scheme: Scheme): Record<string, string> => {
  const colors = palette[scheme];
  const named = Object.entries(colors).map(([name, value]) => [
    `--lathe-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  const shades = probabilityColors(grounds[scheme]).map((color, shade) => [
    `--lathe-p${shade}`,
    color,
  ]);
  const signed = signedColors(poles[scheme]).map((color, shade) => [`--lathe-d${shade}`, color]);
  return {
    ...Object.fromEntries([...named, ...shades, ...signed]),
    '--mantine-color-body': colors.ground,
    '--mantine-color-text': colors.text,
    '--mantine-color-dimmed': colors.dim,
    '--mantine-color-placeholder': colors.dim,
    '--mantine-color-default': colors.surface,
    '--mantine-color-default-hover': colors.hover,
    '--mantine-color-default-border': colors.line,
    '--mantine-color-error': colors.bad,
  };
};

/** Every colour as a CSS variable: views and charts name these and nothing else. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    '--lathe-mono': "'JetBrains Mono Variable', ui-monospace, monospace",
  },
  light: schemeVariables('light'),
  dark: schemeVariables('dark'),
});
