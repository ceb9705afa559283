mod restart;
mod scripted;
mod several;
