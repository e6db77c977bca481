const LINEAR_BELOW = 0.04045;
const CONTRAST_MIN = 4.5;

/** Black or white, whichever reads at least 4.5:1 on `#rrggbb`, by the relative luminance of WCAG. */
export function inkOn(accent: string): '#ffffff' | '#000000' {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(accent.slice(at, at + 2), 16) / 255;
    return part <= LINEAR_BELOW ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= CONTRAST_MIN ? '#ffffff' : '#000000';
}
