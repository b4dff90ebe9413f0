"""Words that are names, words that are not, and words that are both; all lower case."""

# Common given names of the Nordic countries and of those who moved there. Alone one proves nothing, beside a greeting
# it does.
GIVEN_NAMES = frozenset(
    """
    aage aaron abbas abdi abdirahman abdul abdullah abdullahi abukar adam adele adrian agnes
    agneta agnete agnieszka ahlam ahmad ahmed aida aino aisha aksel alan albert albin aleksander aleksandra
    alexander alexandra alf alfred ali alice alicia alina alma alva alvar alvin amalia amalie amanda amelia amina
    amir amira anders andre andrea andreas andrzej andré ane anette angela angelica anita anja anja-lise anker ann
    ann-kristin ann-marie ann-sofie anna anna-lena annbritt anne anne-marie anne-mette anneli annelie annelise
    annemarie annette anni annica annie annika anton antonia aram arash arild arman arne arnold arthur arvid
    asbjørn asger ask aslak asle asta astri astrid atle august augusta aurora axel aya ayaan ayan ayse barbara
    barbro beate beatrice bengt benjamin benny bente berit berith bernt bertha bertil bianca bilal birger birgit
    birgitta birgitte birthe bjarke bjarne björn bjørg bjørk bjørn bo bo-göran bodil bosse brian brit britt
    britt-marie britta bryndis burak børge børre camilla carina carl carl-johan carla carmen carolina caroline
    carsten casper catarina cathrine cecilia cecilie charles charlie charlotte christa christen christer christian
    christina christine christoffer claes clara claus connie cornelia dag dagfinn dagmar dagny daniel daniela
    david deniz dennis diana dilan dina dorota dorrit dorte dorthe dorthea dragan ebba ebbe eberhard edel edith
    edvard edvin edward egil eigil eileen eilif einar eira eirik eirin eivind ela elena eli elias elif elin elina
    elisa elisabeth elise elizabeth ella ellen ellinor elliot elna elsa else elsebeth elvin elvira emelie emil
    emilia emilie emily emma emmy emre endre enok erik erika erland erling ernst esben eskil espen ester esther
    eva evelina even ewa fabian fadi fadumo farah farid fathia fatima fatma felicia felix ferdinand filip filippa
    finn fiona flemming frank frans franz fred freddy fredrik fredrikke frej freja freya frida frode
    frøydis gabriel gabriella geir georg george gerd gerda gert gisela gitta gitte gjertrud glenn
    goran gorm grete grethe gro grunnar grzegorz gudny gudrun gun gunhild gunilla gunn gunnar gunvor gurli guro
    gustaf gustav gustavo göran gøran haakon hadi hala haldor halvard halvor hamid hampus hamza hana hanna hannah
    hanne hannes hans hans-christian hans-jørgen harald harry hasan hassan hatice hedda hedvig heidi heine helen
    helena helene helga helge helle hellen helmer henning henny henriette henrik henrikke henry herbert herman
    hilda hilde hilmar hjalmar hodan holger hugo hussein håkan håkon håvard ian iben ibrahim ida idun ifrah ilse
    ine inga inge inge-lise ingeborg ingegerd ingela ingemar inger inger-lise inghild ingrid ingunn ingvar ingvil
    ingvild irene iris irma isa isabel isabella isabelle isak ismael ismail ivan ivana ivar iver jack jacob jakob
    jamal james jamila jan jan-erik jan-ove jane janne janni jannicke jannie jannik janus jarl jarle jasmin
    jasmine jasper jawad jeanette jelena jennifer jenny jens jeppe jerry jerzy jesper jesse jessica jette jim
    jimmy joachim joakim joan joanna joel jofrid johan johanna johanne johannes john johnni johnny jon jonas
    jonathan jone jonna jorid jorunn josef josefin josefine joseph jostein judith julia julian julie jun june
    justin jutta jytte jöns jörgen jørgen jørn jørund kai kaia kaj kaja kajsa kalle kamal kamilla karen kari
    karianne karim karin karina karl karl-erik karl-johan karla karolina karoline karstein karsten kasper katarina
    katarzyna kate kathrine katja katrin katrine kayla kemal kenneth kenny kent kerstin kevin khadija khalid kim
    kirsten kirsti kirstine kis kjartan kjell kjersti kjetil klara klas klaus knud knut kolbjørn konrad konstantin
    krister kristian kristin kristina kristine kristoffer krzysztof kurt kåre laila lajla lars lars-erik
    lars-göran lasse laura laurids laurits lauritz lea leah leif leila lena lene leni lennart leo leon leonora
    leyla liam lilian lillemor lilli lillian lilly lina linda line linea linn linnea linnéa linus lis lisa lisbet
    lisbeth lise lise-lotte liselotte liss lissi liv liva live livia lizzie loke lone lotta lotte louis louise
    lova lovisa lovise lucas lucia ludvig lukas luna lykke lærke mads magda magdalena magna magne magnhild magni
    magnus mahad mahmoud maiken maj maj-britt maja majbritt majken malene malgorzata malin malte marcin marco
    marcus marek margareta margareth margit margrete margrethe margun maria mariam mariann marianne marie
    marie-louise marina mario marion marit marius mark markus marlene marta marte martha marthe martin martine
    marwa mary maryam maryan mateusz mathias mathilda mathilde matias matilda matilde mats matteo mattias maud max
    may mehdi mehmet melissa melvin merete merethe mette mia michael michaela michal michelle mie mikael mikaela
    mikail mikkel milan milla mille milo mina minna mira miriam mirjana moa mogens mohamad mohamed mohammad
    mohammed mona monica monika morgan moritz morten muhammad muhammed murat mustafa my märta måns nadia nadja
    naima nana nancy nanette nanna nasra natalia natalie natascha natasha nathalie nawal nellie nelly nermin nete
    nick niclas nicolai nicolaj nicolas nicole nicoline niels niels-erik niklas nikola nikolai nikolaj nils
    nils-erik nina noah noel noor nora norunn nour nynne oda odd oddbjørn oddny oddrun oddvar odin ola olaf olav
    ole ole-petter oleksandr olena olga oliver olivia olle olof omar omid oscar oskar osman othilie otto ove owen
    palle parisa patricia patrick patrik paul paula paulina pauline pawel peder pelle per per-erik per-olof
    pernilla pernille peter petra petter philip pia piotr poul preben pär pål pål-erik rafael ragna ragnar
    ragnhild ragni rakel ralf ramona rana randi rashid rasmus rebecca rebecka regine reidar reidun reidunn renate
    rene rené reza ricardo richard rigmor rikard rikke rita robert robin roger rojin roland rolf ronja ronny rosa
    rose roy roya ruben runa rune ruqia rut ruth saad sabina sabine sabrina sadia saga sahra said salim sally
    salma sam sami samir samira samuel sander sandra sanja sanna sanne sara sarah sebastian selma serina severin
    shirin shukri sidsel siegfried sif sigbjørn sigfrid sigga sigmund signe sigrid sigrun sigurd sigurdur sigve
    silas silje silke sille simen simon simone sindre siri sissel siv sivert sixten sofia sofie sofus solfrid
    solveig sonja sophia sophie soran staffan stefan steffen stein steinar stella sten stephan steven stian stig
    stina stine storm sture sune sunniva susan susanna susanne sussi svanhild svea svein sven sven-erik svend
    sverre sylvi sylvia synne synnøve sølvi søren søs tage taha tanja tara tarjei tea ted teis tenna teresa terese
    terje thea theo theodor theresa therese thomas thor thora thorbjørn thore thorleif thorsten thorvald tiina
    tilda tilde tim tina tine tiril tobias tom tomas tomasz tommy tone tonje tor tor-arne torben torbjörn torbjørn
    tord tordis tore torgeir torgunn torhild toril torill torkel torleif torstein torsten torunn tove trine troels
    trond truls trygve ture turi turid tuva tyra uffe ulf ulla ulrik ulrika ulrikke umar una unn unni ursula
    valdemar valentina vanessa vanja vebjørn vegard vera verner veronica veronika vesna vibeke victor victoria
    vidar vigdis vigga viggo viktor viktoria vilde vilhelm vilhelmine vilja villads villy vilma vincent viola vita
    vivi vivian vivianne walid walter wenche wendy wilhelm william wilma wilmer winnie xander yahya yasin yasmin
    yasmina yasmine ylva yngve yosef younes younis yousef yrsa yusuf yvonne zahid zahra zainab zara zeinab zeynep
    ziad zoe zofia zoran ánna ådne åge åke åsa åse åshild åsmund ægir örjan örn östen øistein ørjan østen øystein
    øyvind
    """.split()
)
# Given names that are everyday words too: in lower case they are no name.
ALSO_WORDS = frozenset("may live even dag else per storm maj bo my tor odd ask stig ture siv tea rose mark".split())
# What follows a greeting or a name with a capital letter and is no name.
NO_NAMES = frozenset(
    """
    alle alla all allihop allesammen everyone everybody there jer dere eder ni dig deg du i jeg jag eg vi det den
    de der dette detta har hvor hvordan hvornår hvorfor var vart när nå hur varför hvem vem kan kunne vil skal
    ville er är is min mit mitt mine mina my vores vår a an the en et ett ei ein din ditt deres jeres your our sir
    madam redaktion redaktionen redaksjon venner venn vänner folkens folk gutter gott good god godt tak tack takk
    thanks thank mvh hilsen hälsningar regards igen igjen om og och and men but for för fordi da når nu no now ja
    nej nei ikke inte ikkje lige jo så also ingen hadde havde hade få får idag today hvad hva kva what when where
    how why utilfreds missnöjd misfornøyd skuffet besviken tilfreds nöjd fornøyd glad sur trofast tidligere
    tidigare mangeårig stamkunde client bruger användare bruker forbruger familien familjen anonym anonymous chef
    chefen ledelse ledning ledelsen hr fru frk herr dame herre herrer mr mrs ms miss dr bemærk obs ps sent sendt
    skickat fra från from til till to på med with via mandag tirsdag onsdag torsdag fredag lørdag søndag måndag
    tisdag lördag söndag januar februar marts april juni juli august september oktober november december jul
    sommer påske nyt nytt new gratis rigtig virkelig verkligen super fantastisk fin fint dårlig dårligt dålig
    dåligt elendig perfekt top topp aldrig alltid altid anbefales levering leverans produktet varen ordre order
    telefon email mail tlf mobil adresse address postnr by ort sted land dansk svensk norsk iphone android ipad
    ordrenummer kære kära kjære dear hej hei hi hello
    """.split()
)
PLACES = frozenset(
    """
    københavn stockholm oslo göteborg malmö bergen aarhus aalborg odense esbjerg randers kolding horsens vejle
    roskilde herning uppsala västerås örebro linköping helsingborg jönköping norrköping lund umeå gävle trondheim
    stavanger drammen kristiansand tromsø bodø ålesund danmark sverige norge norway sweden denmark
    """.split()
)
