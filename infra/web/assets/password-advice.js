/** The reasons why a password is weak, which the API gives in English, in other languages. */

/** The longer of two that begin alike stands first. @type {Record<string, [string, string][]>} */
const SENTENCES = {
  es: [
    ["The password would be guessed.", "Esta contraseña sería fácil de adivinar."],
    ["Straight rows of keys are easy to guess.", "Las teclas seguidas de una misma fila son fáciles de adivinar."],
    ["Short keyboard patterns are easy to guess.", "Los patrones cortos de teclado son fáciles de adivinar."],
    ['Repeats like "aaa" are easy to guess.', "Las repeticiones como «aaa» son fáciles de adivinar."],
    [
      'Repeats like "abcabcabc" are only slightly harder to guess than "abc".',
      "Las repeticiones como «abcabcabc» se adivinan casi tan fácilmente como «abc».",
    ],
    ["This is a top-10 common password.", "Es una de las 10 contraseñas más usadas."],
    ["This is a top-100 common password.", "Es una de las 100 contraseñas más usadas."],
    ["This is a very common password.", "Es una contraseña muy común."],
    ["This is similar to a commonly used password.", "Se parece a una contraseña muy usada."],
    ["Sequences like abc or 6543 are easy to guess.", "Las secuencias como abc o 6543 son fáciles de adivinar."],
    ["Recent years are easy to guess.", "Los años recientes son fáciles de adivinar."],
    ["A word by itself is easy to guess.", "Una sola palabra es fácil de adivinar."],
    ["Dates are often easy to guess.", "Las fechas suelen ser fáciles de adivinar."],
    ["Names and surnames by themselves are easy to guess.", "Los nombres y apellidos solos son fáciles de adivinar."],
    ["Common names and surnames are easy to guess.", "Los nombres y apellidos comunes son fáciles de adivinar."],
    ["Use a few words, avoid common phrases.", "Use varias palabras y evite las frases hechas."],
    ["No need for symbols, digits, or uppercase letters.", "No hacen falta símbolos, cifras ni mayúsculas."],
    ["Add another word or two. Uncommon words are better.", "Añada una o dos palabras más, mejor poco comunes."],
    ["Add another word or two.", "Añada una o dos palabras más."],
    ["Capitalization doesn't help very much.", "Las mayúsculas no ayudan mucho."],
    [
      "All-uppercase is almost as easy to guess as all-lowercase.",
      "Todo en mayúsculas se adivina casi tan fácilmente como todo en minúsculas.",
    ],
    ["Reversed words aren't much harder to guess.", "Las palabras al revés no son mucho más difíciles de adivinar."],
    [
      "Predictable substitutions like '@' instead of 'a' don't help very much.",
      "Los cambios previsibles como «@» en vez de «a» no ayudan mucho.",
    ],
    ["Use a longer keyboard pattern with more turns.", "Use un patrón de teclado más largo y con más cambios de dirección."],
    ["Avoid repeated words and characters.", "Evite palabras y caracteres repetidos."],
    ["Avoid sequences.", "Evite las secuencias."],
    ["Avoid recent years.", "Evite los años recientes."],
    ["Avoid years that are associated with you.", "Evite los años relacionados con usted."],
    ["Avoid dates and years that are associated with you.", "Evite las fechas y los años relacionados con usted."],
  ],
};

/**
 * The detail of a `weak-password` problem in a language. A sentence that is not known stays in English.
 * @param {string} language
 * @param {string} detail
 */
export function adviceIn(language, detail) {
  return (SENTENCES[language] ?? []).reduce((text, [english, other]) => text.replaceAll(english, other), detail);
}
