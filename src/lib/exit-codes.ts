/** EX_CONFIG of sysexits.h: starting again changes nothing before a setting is changed. */
export const EXIT_WRONG_SETTING = 78
