/** The texts of guests' pages in Spanish. */

/** @type {typeof import("./text.en.js").texts} */
export const texts = {
  language: "Español",

  // All pages
  moment: "Un momento…",
  offline: "Este dispositivo no tiene conexión. Inténtelo de nuevo cuando la tenga.",
  unanswered: "El servidor no responde. Inténtelo de nuevo en un momento.",
  loadOffline: "Este dispositivo no tiene conexión. La página se cargará sola cuando la tenga.",
  loadUnanswered: "El servidor no responde. La página lo sigue intentando.",
  failed: "Ahora mismo no ha funcionado. Inténtelo de nuevo en un momento.",
  wrong: "Algo ha fallado. Vuelva a cargar la página.",
  tooMany: (wait) => `Demasiados intentos desde aquí. Inténtelo de nuevo en ${wait}.`,
  staleOffline: (age) => `Este dispositivo no tiene conexión. Lo que ve es de hace ${age}.`,
  staleUnanswered: (age) => `El servidor no responde. Lo que ve es de hace ${age}.`,
  missing: "Rellene este campo, por favor.",
  notAnAddress: "Revise la dirección; debe ser como ana@example.com.",

  // Joining
  joinTitle: "Apúntese a la lista de espera",
  noneWaiting: "No hay nadie esperando.",
  waiting: (count, number) => (count === 1 ? "Hay 1 grupo esperando." : `Hay ${number} grupos esperando.`),
  joinNoWait: "Puede que su mesa esté lista enseguida.",
  joinQuote: (minutes, time) => `Mesa en aproximadamente ${minutes}, hacia ${around(time)}.`,
  name: "Su nombre",
  nameWrong: "Escriba solo un nombre de hasta 100 caracteres, sin dirección web.",
  size: "¿Cuántas personas son?",
  sizeWrong: "Escriba un número del 1 al 100.",
  fewer: "Una persona menos",
  more: "Una persona más",
  phone: "Número de móvil",
  phoneHint: (country) =>
    `Le enviamos un mensaje cuando su mesa esté lista. Los mensajes llegan solo a números de este país: ${country}.`,
  phoneForeign: "¿Es un número de otro país? No le llegará ningún mensaje. Añada su correo abajo o deje abierta la página siguiente.",
  phoneWrong: "Revise el número. Si es del extranjero, empieza por + y el código del país.",
  email: "Correo electrónico",
  emailHint: "Para avisarle si no le puede llegar un mensaje al móvil.",
  emailWrong: "Revise la dirección; debe ser como ana@example.com, sin acentos antes de la @.",
  note: "¿Algo que debamos saber?",
  noteHint: "Una trona, una silla de ruedas, una alergia, un perro.",
  noteWrong: "Escriba hasta 500 caracteres de texto sencillo.",
  optional: "opcional",
  join: "Apuntarme",
  again: "No sabemos si nos llegó su último intento. Toque «Apuntarme» otra vez: no se apuntará dos veces.",
  closedTitle: "La lista está cerrada",
  closed: "Ahora la lista no admite más grupos. El formulario aparecerá aquí en cuanto se abra; también puede preguntar en la entrada.",
  full: "La lista está completa. Inténtelo de nuevo dentro de un rato o pregunte en la entrada.",
  unknownListTitle: "No encontramos esta lista",
  unknownList: "Puede que el enlace esté incompleto o que la lista ya no exista. Escanee otra vez el código de la entrada o pregunte allí.",

  // A visit
  visitTitle: "Su lugar en la lista",
  place: "Su lugar",
  next: "El siguiente turno es el suyo",
  ahead: (count, number) => (count === 1 ? "Hay 1 grupo antes que usted" : `Hay ${number} grupos antes que usted`),
  onList: "Está en la lista",
  quote: (minutes, time) => `Aproximadamente ${minutes}, hacia ${around(time)}`,
  soon: "En cualquier momento",
  late: "Está tardando un poco más de lo que dijimos. Gracias por esperar.",
  party: (count, number) => (count === 1 ? "Mesa para 1." : `Mesa para ${number}.`),
  keepOpen: "No cierre esta página: se actualiza sola.",
  earlier: "Ya estaba en la lista, con lo que escribió la primera vez. Si quiere cambiarlo, pregunte en la entrada.",
  calledTitle: "Su mesa está lista",
  held: (time) => `Pase, por favor. Se la guardamos hasta ${around(time)}.`,
  heldTimer: "Tiempo restante",
  heldOver: "Pase ahora mismo, por favor, o pregunte en la entrada. Quizá no podamos guardársela más.",
  comeIn: "Pase, por favor.",
  coming: "Voy de camino",
  confirmedTitle: "Nos vemos enseguida",
  confirmed: "Sabemos que viene de camino. Diríjase a la entrada, por favor.",
  seatedTitle: "Buen provecho",
  seated: "Ya está en su mesa. Puede cerrar esta página.",
  leftTitle: "Ha salido de la lista",
  left: "¿Ha cambiado de idea? Puede apuntarse otra vez, al final de la lista.",
  removedTitle: "Ya no está en la lista",
  removed: "El restaurante retiró su nombre. Si es un error, pregunte en la entrada, por favor.",
  noShowTitle: "No pudimos guardarle la mesa",
  noShow: "Puede que ya sea de otro grupo. ¿Todavía viene? Pregunte en la entrada, donde pueden devolverle su lugar, o apúntese otra vez.",
  joinAgain: "Apuntarme otra vez",
  leave: "Salir de la lista",
  leaveTitle: "¿Quiere dejar la lista?",
  leaveText: "Perderá su lugar. Si se apunta más tarde, empezará al final de la lista.",
  leaveYes: "Salir de la lista",
  leaveNo: "Seguir esperando",
  changed: "Su visita cambió en ese mismo momento. Esta página muestra cómo está ahora.",
  unknownVisitTitle: "No encontramos esta visita",
  unknownVisit: "Puede que el enlace esté incompleto, o que la visita terminara y se borrara. Pregunte en la entrada, por favor.",

  // Confirming an address
  confirmTitle: "Confirme su dirección",
  confirmText: "Toque el botón para confirmar que la dirección de correo es suya. Después, sus clientes podrán recibir mensajes.",
  confirm: "Confirmar la dirección",
  confirmDoneTitle: "Su dirección está confirmada",
  confirmDone: "Gracias. Sus clientes ya pueden recibir mensajes.",
  confirmVoidTitle: "Este enlace ya no funciona",
  confirmVoid: "Es demasiado antiguo o está incompleto. Inicie sesión: si su dirección aún no está confirmada, en la página de inicio puede pedir un enlace nuevo.",
  toHome: "Ir a la página de inicio",

  // A new password
  resetTitle: "Elija una contraseña nueva",
  password: "Contraseña nueva",
  passwordHint: "Al menos 8 caracteres. Varias palabras juntas son fáciles de recordar y difíciles de adivinar.",
  passwordWrong: "Use de 8 a 128 caracteres, por favor.",
  passwordShow: "Mostrar la contraseña",
  reset: "Guardar la contraseña",
  resetDoneTitle: "Su contraseña ha cambiado",
  resetDone: "Se ha cerrado la sesión en todos los dispositivos. Inicie sesión con la contraseña nueva.",
  signIn: "Iniciar sesión",
  resetVoidTitle: "Este enlace ya no funciona",
  resetVoid: "Un enlace vale una sola vez y durante una hora. Escriba la dirección de correo de su cuenta y le enviamos uno nuevo.",
  ask: "Enviar un enlace nuevo",
  askedTitle: "Mire su correo",
  asked: "Si hay una cuenta con esta dirección, el enlace nuevo está en camino. Puede estar en la carpeta de correo no deseado.",
};

/**
 * A time of day with its article: "las 19:40", "la 1:05".
 * @param {string} time
 */
function around(time) {
  return `${/^0?1:/.test(time) ? "la" : "las"} ${time}`;
}
