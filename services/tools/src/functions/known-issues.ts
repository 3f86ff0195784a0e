// What support knows about troubles with cards, transfers and the app. A sign is one or more words that all have to be there.

export type KnownIssue = { readonly id: string; readonly signs: readonly string[]; readonly cause: string; readonly advice: string }

export const KNOWN_ISSUES: readonly KnownIssue[] = [
  {
    id: 'contactless_off',
    signs: ['contactless', 'tap pay', 'tap card', 'nfc'],
    cause: 'Contactless payments need one purchase with the PIN first, and can be switched off in the card settings.',
    advice: 'Pay once with chip and PIN, then check in the card settings that contactless payments are on.',
  },
  {
    id: 'pin_blocked',
    signs: ['pin block', 'pin wrong', 'pin lock', 'unblock pin', 'pin attempt', 'pin incorrect', 'forgot pin', 'change pin', 'pin'],
    cause: 'The PIN is blocked after three wrong tries.',
    advice: 'Unblock it at any cash machine with the PIN services menu, or set a new one there.',
  },
  {
    id: 'passcode_forgotten',
    signs: ['passcode', 'password', 'forgot passcode', 'reset password', 'log in', 'login', 'access app'],
    cause: 'The app was locked, or its passcode was forgotten.',
    advice: 'Choose "Forgot passcode" on the sign-in screen; a new one is set after the identity was checked again.',
  },
  {
    id: 'card_declined',
    signs: ['card declin', 'payment declin', 'declin', 'card reject', 'card not accept', 'card refus', 'card not work', 'card payment fail'],
    cause: 'A payment is declined when the card is frozen, the balance is too low, or a limit is reached.',
    advice: 'Check that the card is active and not frozen, that the balance covers the amount, and the spending limits in the app.',
  },
  {
    id: 'cash_withdrawal_declined',
    signs: ['cash declin', 'withdraw declin', 'atm declin', 'atm not work', 'cash machine not', 'withdraw not work', 'could not withdraw', 'cannot withdraw'],
    cause: 'A cash machine refuses when the daily limit is reached, the magnetic stripe is off, or it does not take the card scheme.',
    advice: 'Check the daily cash limit and the card settings in the app, then try a machine of another bank.',
  },
  {
    id: 'card_swallowed',
    signs: ['swallow', 'machine kept card', 'atm card back', 'card stuck', 'atm ate', 'machine took card'],
    cause: 'Machines keep a card that is reported or not taken back in time.',
    advice: 'Freeze the card in the app and order a new one; cards kept by a machine are destroyed.',
  },
  {
    id: 'top_up_failed',
    signs: ['top up fail', 'top up not work', 'top up declin', 'top up revert', 'top up cancel', 'top up', 'topup'],
    cause: 'A top-up is returned when the card of the other bank refuses it or its owner has another name.',
    advice: 'Use a card in the own name with 3-D Secure switched on, below the limit of the account.',
  },
  {
    id: 'transfer_pending',
    signs: ['transfer pend', 'transfer not arriv', 'transfer still', 'transfer not show', 'transfer delay', 'transfer long', 'transfer not receiv'],
    cause: 'Transfers between banks take up to two working days; cut-off times and holidays add to it.',
    advice: 'Wait until the end of the second working day; then send the transfer reference for a trace.',
  },
  {
    id: 'transfer_failed',
    signs: ['transfer fail', 'transfer declin', 'transfer reject', 'transfer not work', 'cannot transfer', 'transfer error', 'beneficiary'],
    cause: 'A transfer fails when the account details do not match or the beneficiary is not allowed.',
    advice: 'Check the account number and the name of the beneficiary, remove the beneficiary and add it again.',
  },
  {
    id: 'payment_pending',
    signs: ['payment pend', 'pend payment', 'charge pend', 'still pend', 'pend'],
    cause: 'A shop reserves an amount first and books it within a week.',
    advice: 'Wait for the booking; a reservation that is not booked is released after seven days.',
  },
  {
    id: 'balance_not_updated',
    signs: ['balance not update', 'balance not chang', 'balance same', 'balance wrong', 'cheque', 'balance not show'],
    cause: 'Cash and cheque deposits are credited after they were counted or cleared.',
    advice: 'Cash shows on the same day, cheques within three working days; then send a picture of the receipt.',
  },
  {
    id: 'wallet_setup',
    signs: ['apple pay', 'google pay', 'apple watch', 'wallet', 'samsung pay'],
    cause: 'A wallet takes a card only when it is active and the device has a screen lock.',
    advice: 'Activate the card, set a screen lock, then add the card in the wallet again.',
  },
  {
    id: 'virtual_card',
    signs: ['virtual card', 'disposable card', 'virtual not work'],
    cause: 'Disposable cards take one payment; subscriptions and deposits need a card that stays.',
    advice: 'Use a virtual card that is not disposable for anything that is charged more than once.',
  },
  {
    id: 'identity_check_failed',
    signs: ['verify identity', 'identity not verif', 'verification fail', 'verify', 'identity', 'id document', 'selfie', 'source funds'],
    cause: 'Pictures of documents are refused when a corner is cut, the light reflects or the document is out of date.',
    advice: 'Lay the document flat in even light, show all corners, and use one that is valid for three months at least.',
  },
  {
    id: 'card_not_arrived',
    signs: ['card not arriv', 'card delivery', 'new card not', 'card post', 'waiting card', 'card arriv', 'track card'],
    cause: 'Cards are posted within two days and take up to ten working days.',
    advice: 'Check the address in the app; after ten working days a new card is sent free of charge.',
  },
  {
    id: 'card_activation',
    signs: ['activate card', 'card activation', 'activate', 'activation'],
    cause: 'A new card is inactive until it is activated in the app.',
    advice: 'Open the card in the app and choose "Activate"; the number on the back is asked for.',
  },
  {
    id: 'exchange_rate',
    signs: ['exchange rate', 'exchange fee', 'currency rate', 'foreign currency', 'exchange wrong'],
    cause: 'Payments in another currency use the rate of the minute of the booking, with a margin at weekends.',
    advice: 'Compare the rate in the details of the payment; exchange within the app on working days to avoid the margin.',
  },
  {
    id: 'app_trouble',
    signs: ['app crash', 'app not', 'app error', 'app open', 'app freez', 'error message', 'device', 'lost phone', 'new phone'],
    cause: 'Most troubles of the app end with its newest version, or with the device linked again.',
    advice: 'Install the newest version, restart the phone, and sign in again; a lost phone is unlinked on the website.',
  },
]
